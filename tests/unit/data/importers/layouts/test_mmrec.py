"""The MMRec layout: its split, its numbered items, and features that must fit them."""

import io

import numpy as np
import pytest

from makers import rejected, write
from viral.base.errors import DataError, UsageError
from viral.data.features import load_features
from viral.data.importers import import_mmrec

LOG = "userID\titemID\tx_label\n10\t0\t0\n10\t2\t1\n07\t2\t0\n07\t3\t2\n"


def source(tmp_path, log=LOG, items=None, **features):
    folder = tmp_path / "source"
    write(folder / "toy.inter", log)
    if items is not None:
        write(folder / "items.csv", items)
    for name, values in features.items():
        buffer = io.BytesIO()
        np.save(buffer, values, allow_pickle=True)
        write(folder / f"{name}.npy", buffer.getvalue())
    return folder


def test_the_published_split_and_the_numbers_are_kept(tmp_path):
    dataset = import_mmrec(source(tmp_path), tmp_path / "data")
    assert dataset.interactions().rows() == [
        ("10", "0", "train"),
        ("10", "2", "valid"),
        ("07", "2", "train"),
        ("07", "3", "test"),
    ]
    assert dataset.catalog().ids == ("0", "1", "2", "3")  # 1 is an item, though nobody chose it
    assert dataset.manifest["source"]["layout"] == "mmrec"


def test_the_log_itself_may_be_the_source(tmp_path):
    folder = source(tmp_path)
    write(folder / "other.inter", LOG)
    assert len(import_mmrec(folder / "toy.inter", tmp_path / "data").catalog()) == 4
    with pytest.raises(UsageError, match=r"other\.inter, toy\.inter"):
        import_mmrec(folder, tmp_path / "more")


def test_items_are_as_many_as_the_table_says_and_go_by_number_not_by_place(tmp_path):
    items = "itemID,asin,title,description,image_url\n5,B5,Five,Last one,http://x/5.jpg\n0,B0,Zero,,\n"
    catalog = import_mmrec(source(tmp_path, items=items), tmp_path / "data").catalog()
    assert catalog.ids == ("0", "1", "2", "3", "4", "5")
    assert [item.title for item in catalog] == ["Zero", "", "", "", "", "Five"]
    assert (catalog["5"].text, catalog["5"].image_url, catalog["0"].image_url) == ("Last one", "http://x/5.jpg", None)


def test_keywords_are_text(tmp_path):
    items = "itemID,asin,keywords,description\n0,B0,red bike lamp,Shines\n"
    item = import_mmrec(source(tmp_path, items=items), tmp_path / "data").catalog()["0"]
    assert (item.title, item.text) == ("", "Shines. red bike lamp")


def test_every_faulty_row_is_named(tmp_path):
    log = LOG + "10\tx\t0\n10\t-1\t0\n10\t1\t3\n10\t0\t1\n\t1\t0\n10\t\t0\n10\t50000000\t0\n10\t1\n"
    items = "itemID,title\n0,a\n0,b\nzero,c\n"
    dataset = import_mmrec(source(tmp_path, log, items), tmp_path / "data")
    assert rejected(dataset) == [
        ("items.csv", 2, "itemID", "duplicate item", "0"),
        ("items.csv", 3, "itemID", "not an item number", "zero"),
        ("toy.inter", 5, "itemID", "not an item number", "x"),
        ("toy.inter", 6, "itemID", "not an item number", "-1"),
        ("toy.inter", 7, "x_label", "unknown split", "3"),
        ("toy.inter", 8, "itemID", "duplicate pair", "0"),
        ("toy.inter", 9, "userID", "empty user id", ""),
        ("toy.inter", 10, "itemID", "empty item id", ""),
        ("toy.inter", 11, "itemID", "item number too large", "50000000"),
        ("toy.inter", 12, "", "wrong number of fields", "10\t1"),
    ]
    assert dataset.manifest["counts"]["interactions"] == 4
    assert dataset.catalog()["0"].title == "a"


def test_of_a_repeated_pair_with_times_the_earliest_is_kept(tmp_path):
    log = "userID\titemID\ttimestamp\tx_label\nu\t0\t9\t0\nu\t0\t3\t1\n"
    dataset = import_mmrec(source(tmp_path, log), tmp_path / "data")
    assert dataset.interactions().rows() == [("u", "0", 3, "valid")]


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int64])
def test_features_become_tables_by_item_id(tmp_path, kind):
    values = np.arange(12).reshape(4, 3).astype(kind)
    dataset = import_mmrec(source(tmp_path, image_feat=values, text_feat=values[:, :2] + 1), tmp_path / "data")
    tables = load_features(dataset.features_folder)
    assert set(tables) == {"image", "text"}
    assert tables["image"].item_ids == ("0", "1", "2", "3")
    assert tables["image"].values.dtype == np.float32
    assert tables["image"].values.tolist() == values.tolist()
    assert tables["text"].values.tolist() == (values[:, :2] + 1).tolist()
    assert len(tables["image"].fingerprint) == 64


@pytest.mark.parametrize("rows", [3, 5])
def test_features_with_a_wrong_number_of_rows_are_refused(tmp_path, rows):
    folder = source(tmp_path, image_feat=np.zeros((rows, 2)))
    with pytest.raises(DataError, match=rf"image_feat\.npy: {rows} rows of features for 4 items\n.*itemID n"):
        import_mmrec(folder, tmp_path / "data")
    assert not (tmp_path / "data").exists()


class Surprise:
    """Unpickling this would write a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_a_pickle_in_a_feature_file_is_not_loaded(tmp_path):
    folder = source(tmp_path, image_feat=np.array([Surprise(tmp_path / "surprise")], dtype=object))
    with pytest.raises(DataError, match="not an array"):
        import_mmrec(folder, tmp_path / "data")
    assert not (tmp_path / "surprise").exists()


@pytest.mark.parametrize("values", [np.zeros(4), np.zeros((4, 2, 2)), np.full((4, 2), "x"), np.zeros((4, 2), complex)])
def test_features_of_another_shape_or_kind_are_refused(tmp_path, values):
    with pytest.raises(DataError, match="an array of"):
        import_mmrec(source(tmp_path, image_feat=values), tmp_path / "data")


def test_features_that_are_not_finite_are_refused(tmp_path):
    values = np.zeros((4, 2))
    values[2, 1] = np.nan
    with pytest.raises(DataError, match=r"not finite numbers \(first: item '2'\)"):
        import_mmrec(source(tmp_path, image_feat=values), tmp_path / "data")


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"PK\x03\x04rubbish", b"\x93NUMPY\x01\x00v\x00{'descr': "])
def test_a_damaged_feature_file_is_named(tmp_path, content):
    folder = source(tmp_path)
    write(folder / "image_feat.npy", content)
    with pytest.raises(DataError, match=r"image_feat\.npy: (not an array|this is a zip archive, not an array)"):
        import_mmrec(folder, tmp_path / "data")


def test_a_feature_file_cut_short_is_named(tmp_path):
    folder = source(tmp_path, image_feat=np.zeros((4, 100)))
    whole = (folder / "image_feat.npy").read_bytes()
    write(folder / "image_feat.npy", whole[:-8])
    with pytest.raises(DataError, match=r"image_feat\.npy: not an array"):
        import_mmrec(folder, tmp_path / "data")


def test_a_folder_without_a_log_and_a_log_without_a_label(tmp_path):
    write(tmp_path / "empty" / "readme", "")
    with pytest.raises(DataError, match=r"no \.inter file"):
        import_mmrec(tmp_path / "empty", tmp_path / "data")
    with pytest.raises(DataError, match="column 'x_label' is missing; the columns are: userID, itemID"):
        import_mmrec(source(tmp_path, "userID\titemID\n1\t1\n"), tmp_path / "data")
    with pytest.raises(DataError, match="not one interaction is left: unknown split"):
        import_mmrec(source(tmp_path, "userID\titemID\tx_label\n1\t1\t7\n"), tmp_path / "data")


TIMED = "userID\titemID\tx_label\nu\t0\t0\nu\t2\t1\nv\t2\t0\nv\t3\t1\nv\t0\t2\nu\t1\t2\n"
ORDER = "userID,itemID,position\nu,0,0\nu,2,1\nu,1,2\nv,2,0\nv,3,1\nv,0,2\n"


def told(dataset):
    return dataset.manifest["source"]["split"]


def test_the_order_beside_the_log_is_its_time_and_tells_what_the_split_is(tmp_path):
    folder = source(tmp_path, TIMED)
    write(folder / "order.csv", ORDER)
    dataset = import_mmrec(folder, tmp_path / "data")
    log = dataset.interactions()
    assert log["timestamp"].to_list() == [0, 1, 0, 1, 2, 2]
    assert log["split"].to_list() == ["train", "valid", "train", "valid", "test", "test"]
    assert told(dataset) == (
        "published, in time order per user: the last interaction for test, the one before for validation"
    )
    assert "not a time" in dataset.manifest["source"]["options"]["timestamp"]


def test_a_split_that_is_not_in_time_order_or_of_unknown_order_is_told(tmp_path):
    folder = source(tmp_path, TIMED)
    assert told(import_mmrec(folder, tmp_path / "a")) == (
        "published; the log does not tell whether it is in time order"
    )
    write(folder / "order.csv", ORDER.replace("u,0,0", "u,0,9"))
    assert told(import_mmrec(folder, tmp_path / "b")) == "published, not in time order"
    several = TIMED + "v\t1\t2\n"
    write(folder / "toy.inter", several)
    write(folder / "order.csv", ORDER + "v,1,3\n")
    assert told(import_mmrec(folder, tmp_path / "c")) == "published, in time order per user"


def test_rows_of_the_order_that_cannot_be_used_are_named(tmp_path):
    folder = source(tmp_path, TIMED)
    write(folder / "order.csv", ORDER.replace("v,3,1", "v,3,x") + "w,0,0\nu,0,7\n")
    dataset = import_mmrec(folder, tmp_path / "data")
    assert rejected(dataset) == [
        ("order.csv", 5, "position", "not a time", "x"),
        ("order.csv", 7, "itemID", "not in the log", "0"),
        ("order.csv", 8, "itemID", "duplicate pair", "0"),
    ]
    assert dataset.interactions()["timestamp"].to_list() == [0, 1, 0, None, 2, 2]
    assert "does not tell" in told(dataset)


def test_a_log_with_times_of_its_own_needs_no_order(tmp_path):
    log = "userID\titemID\ttimestamp\tx_label\nu\t0\t30\t0\nu\t1\t40\t2\n"
    folder = source(tmp_path, log)
    write(folder / "order.csv", "not,a,table\n")
    dataset = import_mmrec(folder, tmp_path / "data")
    assert dataset.interactions()["timestamp"].to_list() == [30, 40] and "in time order per user" in told(dataset)


def test_features_may_have_other_names(tmp_path, capsys):
    values = np.arange(12.0).reshape(4, 3)
    folder = source(tmp_path, image_feat=values, clip_image=values + 1, clip_text=values + 2, other=values)
    named = {"image": "clip_image.npy", "cliptext": folder / "clip_text.npy"}
    dataset = import_mmrec(folder, tmp_path / "data", features=named)
    tables = load_features(dataset.features_folder)
    assert set(tables) == {"image", "cliptext"}
    assert tables["image"].values.tolist() == (values + 1).tolist()  # what is named goes before image_feat.npy
    assert tables["cliptext"].encoder == "clip_text.npy as published"
    assert dataset.manifest["source"]["options"]["features"] == {"image": "clip_image.npy", "cliptext": "clip_text.npy"}
    told = capsys.readouterr().err
    assert "--features NAME=other.npy" in told and "--features NAME=image_feat.npy" in told and "clip_text" not in told


def test_named_features_are_checked_like_others(tmp_path):
    folder = source(tmp_path, clip=np.zeros((3, 2)))
    with pytest.raises(DataError, match=r"clip\.npy: 3 rows of features for 4 items"):
        import_mmrec(folder, tmp_path / "data", features={"image": "clip.npy"})
    with pytest.raises(DataError, match=r"absent\.npy: no such file of features for 'image'"):
        import_mmrec(folder, tmp_path / "data", features={"image": "absent.npy"})
    with pytest.raises(UsageError, match="cannot be called"):
        import_mmrec(folder, tmp_path / "data", features={"../image": "clip.npy"})
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("items", ["itemID,title\n7,Seven\n", "itemID,title\nB00X,By its ASIN\n"])
def test_an_item_table_that_knows_no_item_of_the_log_ends_the_import(tmp_path, items):
    with pytest.raises(DataError, match=r"items\.csv: not one item of the log is in items\.csv: the log's are 0, 2, 3"):
        import_mmrec(source(tmp_path, items=items), tmp_path / "data")
