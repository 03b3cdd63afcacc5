"""Anybody's own tables: what becomes of every kind of row, column and picture."""

from collections import Counter

import polars as pl
import pytest

from makers import rejected, write
from viral.base.errors import DataError, UsageError
from viral.data.dataset import Dataset
from viral.data.importers import import_table
from viral.data.split_rules import random_split

LOG = "user,item\nu1,a\nu1,b\nu2,a\nu2,c\n"
ITEMS = "item,title,text,category\na,Kettle,Boils water.,kitchen\nb,<b>Pot</b>,,\nc,,Blue,garden\nd,Never chosen,,\n"


def source(tmp_path, log=LOG, items=ITEMS, **files):
    folder = tmp_path / "source"
    write(folder / "interactions.csv", log)
    if items is not None:
        write(folder / "items.csv", items)
    for name, content in files.items():
        write(folder / name, content)
    return folder


def imported(tmp_path, *arguments, **options):
    return import_table(source(tmp_path, *arguments), tmp_path / "data", **options)


def pairs(dataset):
    return dataset.interactions().select("user_id", "item_id").rows()


def splits(dataset):
    return dict(zip(pairs(dataset), dataset.interactions()["split"].to_list(), strict=True))


def test_a_folder_of_two_tables_becomes_a_data_set(tmp_path):
    dataset = imported(tmp_path)
    assert dataset.path == tmp_path / "data"
    assert Dataset.open(tmp_path / "data").manifest == dataset.manifest
    assert pairs(dataset) == [("u1", "a"), ("u1", "b"), ("u2", "a"), ("u2", "c")]
    catalog = dataset.catalog()
    assert catalog.ids == ("a", "b", "c", "d")  # what nobody chose can still be recommended
    assert (catalog["a"].title, catalog["a"].text, catalog["a"].category) == ("Kettle", "Boils water.", "kitchen")
    assert (catalog["b"].title, catalog["b"].text, catalog["b"].category) == ("Pot", "", None)
    assert dataset.manifest["counts"]["rejected"] == {}
    assert rejected(dataset) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "source"]  # no staging is left behind


def test_ids_that_look_like_numbers_stay_text(tmp_path):
    dataset = imported(tmp_path, "user,item\n007,1\n7,01\n7,1.0\n", "item,title\n1,x\n01,y\n1.0,z\n")
    assert pairs(dataset) == [("007", "1"), ("7", "01"), ("7", "1.0")]
    assert dataset.catalog().ids == ("1", "01", "1.0")
    assert dataset.manifest["counts"]["users"] == 2


def test_every_faulty_row_is_named_with_file_row_field_and_reason(tmp_path):
    log = "user,item,timestamp\nu,a,1\n,a,2\nu,,3\nu,nowhere,4\nu\nu,b,soon\nu,c,5\nu,a,6\n  ,c,7\nu,d,\n"
    items = "item,title\na,A\n,nameless\nb,B\na,again\nc\nd,D\nc,C\n"
    dataset = imported(tmp_path, log, items)
    assert pairs(dataset) == [("u", "a"), ("u", "c"), ("u", "d")]
    assert dataset.catalog().ids == ("a", "b", "d", "c")
    assert dataset.catalog()["a"].title == "A"
    assert rejected(dataset) == [
        ("interactions.csv", 2, "user", "empty user id", ""),
        ("interactions.csv", 3, "item", "empty item id", ""),
        ("interactions.csv", 4, "item", "unknown item", "nowhere"),
        ("interactions.csv", 5, "", "wrong number of fields", "u"),
        ("interactions.csv", 6, "timestamp", "not a time", "soon"),
        ("interactions.csv", 8, "item", "duplicate pair", "a"),
        ("interactions.csv", 9, "user", "empty user id", "  "),
        ("items.csv", 2, "item", "empty item id", ""),
        ("items.csv", 4, "item", "duplicate item", "a"),
        ("items.csv", 5, "", "wrong number of fields", "c"),
    ]
    counted = Counter(reason for *_, reason, _ in rejected(dataset))
    assert dataset.manifest["counts"]["rejected"] == dict(counted)


def test_of_a_repeated_pair_the_earliest_is_kept(tmp_path):
    dataset = imported(tmp_path, "user,item,timestamp\nu,a,30\nu,b,1\nu,a,10\nu,a,\nu,a,20\nu,a,10\n")
    assert dataset.interactions().select("item_id", "timestamp").rows() == [("b", 1), ("a", 10)]
    assert [row for _, row, *_ in rejected(dataset)] == [1, 4, 5, 6]


def test_of_a_repeated_pair_without_times_the_first_is_kept(tmp_path):
    dataset = imported(tmp_path, "user,item,split\nu,a,test\nu,b,train\nu,a,train\n")
    assert splits(dataset) == {("u", "a"): "test", ("u", "b"): "train"}
    assert rejected(dataset) == [("interactions.csv", 3, "item", "duplicate pair", "a")]


def test_a_split_column_is_obeyed_and_unknown_splits_are_named(tmp_path):
    log = "user,item,split\nu,a,train\nu,b,Validation\nv,a,val\nv,b,test\nv,c,holdout\nv,d,\n"
    dataset = imported(tmp_path, log)
    assert list(splits(dataset).values()) == ["train", "valid", "valid", "test"]
    assert [fault[1:] for fault in rejected(dataset)] == [
        (5, "split", "unknown split", "holdout"),
        (6, "split", "unknown split", ""),
    ]
    assert dataset.manifest["source"]["options"]["split"] == "column"


def test_a_split_column_can_be_overruled(tmp_path):
    log = "user,item,split\n" + "".join(f"u,{item},train\n" for item in "abcd")
    assert set(splits(imported(tmp_path, log, split="random")).values()) == {"train", "valid", "test"}


def test_the_random_split_is_that_of_the_seed(tmp_path):
    items = "item\n" + "".join(f"i{number}\n" for number in range(20))
    log = "user,item\n" + "".join(f"u{user},i{item}\n" for user in range(9) for item in range(20))
    folder = source(tmp_path, log, items)
    one, same, other = (
        import_table(folder, tmp_path / f"d{n}", seed=s).interactions() for n, s in enumerate((1, 1, 2))
    )
    assert one.equals(same)
    assert not one.equals(other)
    assert one.equals(random_split(one.drop("split"), seed=1))


@pytest.mark.parametrize(
    ("count", "valid", "test"), [(2, 0, 0), (3, 1, 1), (9, 1, 1), (10, 1, 1), (15, 1, 2), (20, 2, 2)]
)
def test_the_temporal_split_holds_out_the_last(tmp_path, count, valid, test):
    items = "item\n" + "".join(f"i{number}\n" for number in range(count))
    order = [(7 * number) % count if count % 7 else number for number in range(count)]  # the file is not in order
    log = "user,item,timestamp\n" + "".join(f"u,i{moment},{moment}\nv,i{moment},{-moment}\n" for moment in order)
    dataset = imported(tmp_path, log, items, split="temporal")
    assert pairs(dataset) == [(user, f"i{moment}") for moment in order for user in "uv"]  # in the order of the file
    split = splits(dataset)
    expected = ["train"] * (count - valid - test) + ["valid"] * valid + ["test"] * test
    assert [split["u", f"i{moment}"] for moment in range(count)] == expected
    assert [split["v", f"i{moment}"] for moment in reversed(range(count))] == expected


def test_of_equal_times_the_later_row_is_the_later_one(tmp_path):
    dataset = imported(tmp_path, "user,item,timestamp\nu,c,5\nu,a,5\nu,d,5\nu,b,5\n", split="temporal")
    assert list(splits(dataset).items()) == [
        (("u", "c"), "train"),
        (("u", "a"), "train"),
        (("u", "d"), "valid"),
        (("u", "b"), "test"),
    ]


def test_times_may_be_numbers_or_dates(tmp_path):
    log = (
        "user,item,timestamp\nu,a,1970-01-02\nu,b,1970-01-01T00:00:10Z\nu,c,1970-01-01 01:00:00+01:00\n"
        "u,d,12.5\nv,a,-3\nv,b, 7 \nv,c,nan\nv,d,1e400\n"
    )
    dataset = imported(tmp_path, log)
    assert dataset.interactions()["timestamp"].to_list() == [86400.0, 10.0, 0.0, 12.5, -3.0, 7.0]
    assert [fault[1:4] for fault in rejected(dataset)] == [
        (7, "timestamp", "not a time"),
        (8, "timestamp", "not a time"),
    ]


def test_nanoseconds_keep_their_last_digit_beside_a_faulty_row(tmp_path):
    moment = 1_700_000_000_123_456_789
    dataset = imported(tmp_path, f"user,item,timestamp\nu,a,{moment}\nu,b,{moment + 1}\nu,c,never\n")
    assert dataset.interactions()["timestamp"].to_list() == [moment, moment + 1]


def test_a_temporal_split_needs_a_time_in_every_row(tmp_path):
    dataset = imported(tmp_path, "user,item,timestamp\nu,a,1\nu,b,\nu,c,3\n", split="temporal")
    assert rejected(dataset) == [("interactions.csv", 2, "timestamp", "empty timestamp", "")]
    with pytest.raises(DataError, match=r"column 'timestamp' is missing; the columns are: user, item"):
        import_table(source(tmp_path), tmp_path / "other", split="temporal")
    assert not (tmp_path / "other").exists()


def test_the_core_keeps_its_own_items_and_counts_the_rest_as_filtered(tmp_path):
    dataset = imported(tmp_path, LOG + "u2,b\nu3,d\nu1,c\n", core=2)
    assert pairs(dataset) == [("u1", "a"), ("u1", "b"), ("u2", "a"), ("u2", "c"), ("u2", "b"), ("u1", "c")]
    assert dataset.catalog().ids == ("a", "b", "c")
    assert dataset.manifest["counts"]["rejected"] == {}
    assert dataset.manifest["source"]["options"]["filtered_by_core"] == 1


def test_tables_may_be_of_any_format_and_columns_of_any_name(tmp_path):
    folder = tmp_path / "shop"
    write(folder / "log.jsonl", '{"who": 7, "what": "a"}\n{"who": 7, "what": "b"}\n{"who": 8, "what": "a"}\n')
    pl.DataFrame({"sku": ["a", "b"], "label": ["Kettle", "Pot"], "blurb": [["hot", "red"], None]}).write_parquet(
        folder / "goods.parquet"
    )
    columns = {"user": "who", "item": "what,sku", "title": "label", "text": "blurb"}
    dataset = import_table(folder / "log.jsonl", tmp_path / "data", columns=columns, items=folder / "goods.parquet")
    assert pairs(dataset) == [("7", "a"), ("7", "b"), ("8", "a")]
    assert [(item.title, item.text) for item in dataset.catalog()] == [("Kettle", "hot red"), ("Pot", "")]
    ids = import_table(folder / "log.jsonl", tmp_path / "ids", columns={"user_id": "who", "item_id": "what"})
    assert pairs(ids) == pairs(dataset)


def test_without_an_item_table_the_items_are_those_of_the_log(tmp_path):
    dataset = imported(tmp_path, LOG, None)
    assert dataset.catalog().ids == ("a", "b", "c")
    with pytest.raises(UsageError, match="no item table that could have the column 'title'"):
        import_table(tmp_path / "source", tmp_path / "other", columns={"title": "name"})


@pytest.mark.parametrize(
    ("log", "items", "options", "error", "message"),
    [
        (
            "usr,item\nu,a\n",
            ITEMS,
            {},
            DataError,
            r"interactions\.csv: column 'user' is missing.*\n.*--column user=NAME",
        ),
        (
            LOG,
            "ref,title\nx1,x\n",
            {},
            DataError,
            r"items\.csv: column 'item' is missing.*ref, title\n.*item=item,NAME",
        ),
        (LOG, ITEMS, {"columns": {"title": "nom"}}, DataError, "column 'nom' is missing"),
        (LOG, ITEMS, {"columns": {"titel": "title"}}, UsageError, r"unknown column 'titel'\n.*did you mean title"),
        (LOG, ITEMS, {"split": "time"}, UsageError, r"unknown split 'time'\n"),
        (LOG, ITEMS, {"split": "column"}, DataError, "column 'split' is missing"),
        (LOG, ITEMS, {"core": 5}, DataError, "5-core is empty"),
        ("user,item\n", ITEMS, {}, DataError, "not one interaction is left"),
        ("user,item\nu,x\nu,y\n", ITEMS, {}, DataError, "not one interaction is left: unknown item"),
    ],
)
def test_what_cannot_be_imported_is_said_and_nothing_is_left_behind(tmp_path, log, items, options, error, message):
    with pytest.raises(error, match=message):
        imported(tmp_path, log, items, **options)
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_a_folder_without_a_log_or_with_two(tmp_path):
    write(tmp_path / "empty" / "items.csv", ITEMS)
    with pytest.raises(
        DataError, match=r"(?s)no interaction log.*items\.csv: the columns are: item, title.*interactions\.csv"
    ):
        import_table(tmp_path / "empty", tmp_path / "data")
    folder = source(tmp_path)
    write(folder / "interactions.jsonl", "{}")
    with pytest.raises(UsageError, match=r"interactions\.csv, interactions\.jsonl"):
        import_table(folder, tmp_path / "data")


def test_the_manifest_says_in_words_how_the_log_is_split(tmp_path):
    log = "user,item,timestamp,split\nu1,a,1,train\nu1,b,2,test\nu2,a,5,train\nu2,c,4,valid\n"
    told = {
        rule: import_table(source(tmp_path, log), tmp_path / rule, split=rule).manifest["source"]["split"]
        for rule in ("column", "temporal", "random")
    }
    assert told["column"] == "as the log says, not in time order"
    assert told["temporal"].startswith("in time order per user") and "not one cut in time" in told["temporal"]
    assert told["random"] == "random 80/10/10 per user (seed 0)"


def test_a_cut_in_time_differs_from_user_to_user(tmp_path):
    log = "user,item,timestamp\n" + "".join(
        f"{user},{item},{start + place}\n" for user, start in (("u", 0), ("v", 9)) for place, item in enumerate("abcd")
    )
    items = "item\na\nb\nc\nd\n"
    dataset = import_table(source(tmp_path, log, items), tmp_path / "data", split="temporal")
    held_out = dataset.interactions().filter(pl.col("split") == "test")
    assert held_out.select("user_id", "item_id", "timestamp").rows() == [("u", "d", 3), ("v", "d", 12)]
