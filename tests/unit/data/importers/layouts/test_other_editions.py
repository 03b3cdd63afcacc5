"""Published editions of films, fashion, short videos and benchmarks: read in their own layout, told in any other."""

import pytest

from makers import picture, rejected, write
from viral.base.errors import DataError, UsageError, ViralError
from viral.data.importers import IMPORTERS, import_hm, import_microlens, import_mmrec, import_movielens, import_table

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 841576\n"
GENRES = "0|0|0|1|0|1|0|0|0|0|0|0|0|0|0|0|0|0|0"  # animation and comedy
FILMS = {  # edition -> files
    "ml-latest": {
        "ratings.csv": "userId,movieId,rating,timestamp\n1,1,5.0,9\n1,2,4.5,8\n2,1,4.0,7\n2,2,3.5,6\n",
        "movies.csv": 'movieId,title,genres\n1,Toy Story (1995),Animation|Comedy\n2,"Café, The (1996)",Drama\n',
    },
    "ml-10m": {
        "ratings.dat": "1::1::5::9\n1::2::4.5::8\n2::1::4::7\n2::2::3.5::6\n",
        "movies.dat": "1::Toy Story (1995)::Animation|Comedy\n2::Café, The (1996)::Drama\n",
    },
    "ml-1m": {
        "ratings.dat": "1::1::5::9\n1::2::5::8\n2::1::4::7\n2::2::3::6\n",
        "movies.dat": "1::Toy Story (1995)::Animation|Comedy\n2::Café, The (1996)::Drama\n".encode("latin-1"),
    },
    "ml-100k": {
        "u.data": "1\t1\t5\t9\n1\t2\t5\t8\n2\t1\t4\t7\n2\t2\t3\t6\n",
        "u.item": f"1|Toy Story (1995)|01-Jan-1995||http://x/|{GENRES}\n"
        "2|Café, The (1996)|01-Jan-1996||http://x/|0|0|0|0|0|0|0|0|1|0|0|0|0|0|0|0|0|0|0\n",
    },
}
FILMS["ml-100k"]["u.item"] = FILMS["ml-100k"]["u.item"].encode("latin-1")


def folder(path, files):
    for name, content in files.items():
        write(path / name, content)
    return path


@pytest.mark.parametrize("edition", FILMS)
def test_every_edition_of_movielens_is_the_same_films(tmp_path, edition):
    source = folder(tmp_path / edition, FILMS[edition])
    dataset = import_movielens(source, tmp_path / "data", core=0)
    log = dataset.interactions()
    assert log.select("user_id", "item_id", "timestamp").rows() == [("1", "1", 9), ("1", "2", 8), ("2", "1", 7)]
    films = [(item.title, item.text, item.category) for item in dataset.catalog()]
    assert films == [
        ("Toy Story (1995)", "Animation, Comedy", "Animation"),
        ("Café, The (1996)", "Drama", "Drama"),
    ]
    assert rejected(dataset) == []
    by_file = import_movielens(next(iter(source.iterdir())), tmp_path / "other", core=0)
    assert by_file.fingerprint == dataset.fingerprint


def test_faulty_rows_of_the_older_editions_are_named(tmp_path):
    files = dict(FILMS["ml-10m"])
    files["ratings.dat"] += "1::1\n3::77::5::1\n3::1::many::1\n\n"
    files["movies.dat"] += "3::Mission::Impossible (1996)::Action\n4::Half\n"
    dataset = import_movielens(folder(tmp_path / "s", files), tmp_path / "data", core=0)
    assert [row[:4] for row in rejected(dataset)] == [
        ("movies.dat", 4, "", "wrong number of fields"), ("ratings.dat", 5, "", "wrong number of fields"),
        ("ratings.dat", 6, "item", "unknown item"), ("ratings.dat", 7, "rating", "not a number"),
    ]  # fmt: skip


ARTICLES = (
    "article_id,product_code,prod_name,product_type_name,colour_group_name,detail_desc\n"
    "0108775015,0108775,Strap top,Vest top,Black,Narrow straps.\n0108775044,0108775,Strap top,Vest top,White,\n"
)
TRANSACTIONS = (
    "t_dat,customer_id,article_id,price,sales_channel_id\n2018-09-20,c1,0108775015,0.05,2\n"
    "2018-09-21,c1,0108775044,0.05,2\n2018-09-21,c2,0108775015,0.05,1\n"
)
HM = {
    "transactions_train.csv": TRANSACTIONS,
    "articles.csv": ARTICLES,
    "customers.csv": "customer_id,age\nc1,49\n",
    "images/010/0108775015.jpg": picture("JPEG"),
}
MICROLENS = {
    "MicroLens-50k_pairs.csv": "user,item,timestamp\n1,7,1583378629552\n1,8,1583378629553\n2,7,1583378629554\n",
    "MicroLens-50k_titles.csv": 'item,title\n7,"A cat, asleep"\n8,A dog\n9,Never seen\n',
    "MicroLens-50k_covers/7.jpg": picture("JPEG"),
}


@pytest.mark.parametrize("importer", [import_hm, import_table])
@pytest.mark.parametrize("zeros", ["kept", "lost"])
def test_hm_by_its_layout_and_as_any_table(tmp_path, importer, zeros):
    files = dict(HM)
    if zeros == "lost":  # in both tables, as a data frame leaves them; the pictures keep theirs
        files |= {name: files[name].replace(",0108", ",108").replace("\n0108", "\n108") for name in list(files)[:2]}
    dataset = importer(folder(tmp_path / "hm", files), tmp_path / "data", split="temporal")
    first = next(iter(dataset.catalog()))
    assert first.id.lstrip("0") == "108775015" and first.image is not None
    assert (first.title, first.text, first.category, first.colour) == (
        "Strap top", "Narrow straps.", "Vest top", "Black",
    )  # fmt: skip
    assert dataset.interactions()["timestamp"].min() == 1_537_401_600
    assert dataset.manifest["counts"]["images"] == 1 and rejected(dataset) == []


def test_microlens_with_times_titles_and_covers(tmp_path):
    dataset = import_microlens(folder(tmp_path / "s", MICROLENS), tmp_path / "data", split="temporal")
    assert [item.title for item in dataset.catalog()] == ["A cat, asleep", "A dog", "Never seen"]
    assert [item.image is not None for item in dataset.catalog()] == [True, False, False]
    assert dataset.interactions()["timestamp"].to_list() == [1583378629552, 1583378629553, 1583378629554]
    assert dataset.manifest["source"]["split"].startswith("in time order per user")


def test_microlens_in_lines_and_titles_without_a_header(tmp_path):
    files = {
        "MicroLens-100k_pairs.tsv": "u1\t7 8 9\nu2\t8 7\nu3\n",
        "MicroLens-100k_title_en.csv": "7,Cat\n8,Dog\n9,Bird\n",
    }
    dataset = import_microlens(folder(tmp_path / "s", files), tmp_path / "data")
    log = dataset.interactions()
    assert log.select("user_id", "item_id", "timestamp").rows() == [
        ("u1", "7", 0), ("u1", "8", 1), ("u1", "9", 2), ("u2", "8", 0), ("u2", "7", 1),
    ]  # fmt: skip
    assert dataset.catalog()["9"].title == "Bird"
    assert "not a time" in dataset.manifest["source"]["options"]["timestamp"]
    assert [row[1:4] for row in rejected(dataset)] == [(6, "", "wrong number of fields")]
    with pytest.raises(UsageError, match="no column that tells the split"):
        import_microlens(tmp_path / "s", tmp_path / "other", split="column")


MMREC = {"baby.inter": "userID\titemID\tx_label\n0\t0\t0\n0\t1\t2\n"}
RECBOLE = {"ml.inter": "user_id:token\titem_id:token\trating:float\n1\t2\t3\n", "ml.item": "item_id:token\n2\n"}
REVIEW = '{"reviewerID": "A", "asin": "B", "overall": 5, "unixReviewTime": 1}\n'
PUBLISHED = {
    "movielens": FILMS["ml-1m"],
    "hm": HM,
    "microlens": MICROLENS,
    "mmrec": MMREC,
    "amazon2014": {"reviews_Mugs.json": REVIEW, "meta_Mugs.json": '{"asin": "B", "categories": []}\n'},
    "amazon2018": {"Mugs.json": REVIEW, "meta_Mugs.json": '{"asin": "B", "category": [], "also_buy": []}\n'},
    "amazon2023": {"Mugs.csv": "user_id,parent_asin,rating,timestamp\nA,B,5,1\n", "meta_Mugs.jsonl": "{}\n"},
    "table": {"interactions.csv": "user,item\nu,a\n"},
}
PAIRS = [(layout, own) for layout in PUBLISHED for own in PUBLISHED if layout not in ("table", own)]


@pytest.mark.parametrize(("layout", "own"), PAIRS)
def test_a_folder_of_another_layout_is_called_by_its_name_with_the_command(tmp_path, layout, own):
    source = folder(tmp_path / "s", PUBLISHED[own])
    with pytest.raises(ViralError) as caught:
        IMPORTERS[layout](source, tmp_path / "data")
    assert f"viral import {own} {source}" in caught.value.hint
    assert "--column" not in str(caught.value)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("layout", ["movielens", "hm", "microlens", "mmrec"])
def test_a_folder_unzipped_into_another_and_one_still_zipped_are_told(tmp_path, layout):
    inner = folder(tmp_path / "up" / "inner", PUBLISHED[layout])
    with pytest.raises(DataError, match=f"viral import {layout} {inner}"):
        IMPORTERS[layout](tmp_path / "up", tmp_path / "data")
    write(tmp_path / "packed" / "set.zip", b"PK\x03\x04")
    with pytest.raises(DataError, match=r"unzip set\.zip first"):
        IMPORTERS[layout](tmp_path / "packed", tmp_path / "data")
    with pytest.raises(DataError, match="this is a zip archive"):
        IMPORTERS[layout](tmp_path / "packed" / "set.zip", tmp_path / "data")


def test_an_atomic_file_of_recbole_is_sent_to_the_table_which_reads_it(tmp_path):
    source = folder(tmp_path / "s", RECBOLE)
    with pytest.raises(DataError, match=r"an atomic file of RecBole \(user_id:token.*\n.*--items") as caught:
        import_mmrec(source, tmp_path / "data")
    assert "--column" not in str(caught.value)
    words = caught.value.hint.partition("viral import table ")[2].split()
    assert words == [str(source / "ml.inter"), str(tmp_path / "data"), "--items", str(source / "ml.item")]
    assert import_table(source / "ml.inter", tmp_path / "data", items=source / "ml.item").catalog().ids == ("2",)


FILES = [  # layout, the file of it that is something else
    ("movielens", "ratings.dat"), ("movielens", "movies.dat"), ("hm", "transactions_train.csv"), ("hm", "articles.csv"),
    ("microlens", "MicroLens-50k_pairs.csv"), ("microlens", "MicroLens-50k_titles.csv"), ("mmrec", "image_feat.npy"),
    ("mmrec", "baby.inter"), ("mmrec", "items.csv"), ("amazon2014", "meta_Mugs.json"), ("amazon2018", "Mugs.json"),
    ("amazon2023", "Mugs.csv"), ("amazon2023", "meta_Mugs.jsonl"), ("table", "interactions.csv"),
    ("table", "items.csv"), ("table", "items.parquet"), ("table", "items.jsonl"), ("table", "items.xlsx"),
]  # fmt: skip


@pytest.mark.parametrize(("layout", "name"), FILES)
@pytest.mark.parametrize(
    ("content", "said", "hint"),
    [(POINTER, "a Git LFS pointer", "git lfs pull"), ("<!DOCTYPE html><html>sign in</html>", "a web page", "fetch it")],
)
def test_a_pointer_or_a_page_in_the_place_of_any_file_is_called_so(tmp_path, layout, name, content, said, hint):
    source = folder(tmp_path / "s", PUBLISHED[layout] | {name: content})
    with pytest.raises(DataError) as caught:
        IMPORTERS[layout](source, tmp_path / "data")
    assert said in caught.value.what and name in caught.value.where and hint in caught.value.hint
    assert not (tmp_path / "data").exists()


def test_pointers_in_the_place_of_pictures_are_counted_as_such(tmp_path):
    source = folder(tmp_path / "s", HM | {"images/010/0108775015.jpg": POINTER})
    dataset = import_hm(source, tmp_path / "data")
    assert dataset.manifest["counts"]["rejected"] == {"a Git LFS pointer": 1}
