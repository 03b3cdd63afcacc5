"""Ids of the log and of the item table: read alike, and where they do not meet, why, and what can be repaired."""

import polars as pl
import pytest

from makers import rejected, write
from viral.base.errors import DataError
from viral.data.importers import import_table


def imported(tmp_path, log, items, **options):
    """A log of one user an id, and an item table of these ids; strings are whole files."""
    log = log if isinstance(log, str) else "user,item\n" + "".join(f"u{n},{one}\n" for n, one in enumerate(log))
    items = items if isinstance(items, str) else "item,title\n" + "".join(f"{one},T\n" for one in items)
    write(tmp_path / "shop" / "interactions.csv", log)
    write(tmp_path / "shop" / "items.csv", items)
    return import_table(tmp_path / "shop", tmp_path / "data", **options)


def chosen_items(dataset):
    return dataset.interactions()["item_id"].to_list()


APART = [
    (["123", "45"], ["00123", "045"], "leading zeros are lost", ["00123", "045"]),
    (["00123", "045"], ["123", "45"], "leading zeros are lost", ["123", "45"]),
    (["AB-1", "ab-2"], ["ab-1", "AB-2"], "capital and small letters differ", ["ab-1", "AB-2"]),
    (["10.0", "11.5"], ["10", "11.5x"], "numbers with a point", ["10"]),
    (["AB 1", "AB_2"], ["AB-1", "AB-2"], "blanks, hyphens or other marks differ", ["AB-1", "AB-2"]),
    (["gid://shopify/Product/7"], ["7"], "at the end of a path", ["7"]),
    (["7.0", "8.5"], ["007", "8.5x"], "leading zeros are lost, and numbers have a point", ["007"]),
]


@pytest.mark.parametrize(("log", "items", "cause", "repaired"), APART)
def test_ids_that_do_not_meet_are_shown_with_the_cause_and_repaired_when_asked(tmp_path, log, items, cause, repaired):
    with pytest.raises(DataError) as caught:
        imported(tmp_path, log, items)
    text = str(caught.value)
    assert "not one interaction is left: unknown item" in text and cause in text
    assert repr(log[0]) in text and repr(items[0]) in text
    assert f"{len(repaired)} of these {len(log)} rows would meet" in text
    assert "--repair-ids" in caught.value.hint
    made = imported(tmp_path, log, items, repair_ids=True)
    assert chosen_items(made) == repaired
    assert made.manifest["source"]["options"]["ids"]["repaired_rows"] == len(repaired)


def test_an_id_that_could_mean_two_items_is_not_repaired(tmp_path):
    with pytest.raises(DataError, match=r"1 of the log's ids could mean several items: '7' is '007' or '07'"):
        imported(tmp_path, ["7", "8"], ["07", "007", "08"])
    with pytest.raises(DataError, match=r"1 of these 2 rows would meet; .* but 1 of the log's ids"):
        imported(tmp_path, ["7", "8"], ["07", "007", "08"])
    with pytest.raises(DataError, match="the ids are not repaired: 1 of the log's ids"):
        imported(tmp_path, ["7", "8"], ["07", "007", "08"], repair_ids=True)
    assert not (tmp_path / "data").exists()


def test_a_part_that_does_not_meet_is_said_and_left_out(tmp_path, capsys):
    dataset = imported(tmp_path, ["a", "b", "0c", "zz"], ["a", "b", "c"])
    assert chosen_items(dataset) == ["a", "b"]
    assert [fault[3:] for fault in rejected(dataset)] == [("unknown item", "0c"), ("unknown item", "zz")]
    told = capsys.readouterr().err
    assert "ids: 2 of 4 rows of the log are left out: they name 2 items that the item table does not have" in told
    assert "the log has '0c', 'zz'; the item table has 'a', 'b', 'c'" in told
    assert dataset.manifest["source"]["options"]["ids"]["unknown_rows"] == 2


def test_repairs_of_a_part_leave_the_rest_as_it_is(tmp_path, capsys):
    dataset = imported(tmp_path, ["007", "8", "x"], ["7", "008"], repair_ids=True)
    assert chosen_items(dataset) == ["7", "008"]
    told = capsys.readouterr().err
    assert "ids: 2 rows repaired, leading zeros are lost on one side: '007' is '7', '8' is '008'" in told
    assert "ids: 1 more row names an item that the item table does not have: left out" in told


def test_the_column_that_has_the_ids_is_named_where_no_name_tells_it(tmp_path):
    with pytest.raises(DataError, match=r"in column 'eancode2' of items\.csv\n.*--column item=item,eancode2"):
        imported(tmp_path, ["x1", "x2"], "item,title,eancode2\n1,A,x1\n2,B,x2\n")
    with pytest.raises(DataError, match=r"in column 'theirs' of interactions\.csv\n.*--column item=theirs,item"):
        imported(tmp_path, "user,item,theirs\nu,1,x1\nv,2,x2\n", ["x1", "x2"])
    made = import_table(tmp_path / "shop", tmp_path / "data", columns={"item": "theirs,item"})
    assert chosen_items(made) == ["x1", "x2"]


def test_blanks_around_ids_are_cut_on_both_sides_and_counted(tmp_path, capsys):
    dataset = imported(tmp_path, "user, item\n u1,\u00a0a\nu2, b\n", "item,title\na ,A\nb,B\n")
    assert dataset.interactions().select("user_id", "item_id").rows() == [("u1", "a"), ("u2", "b")]
    told = capsys.readouterr().err
    assert "blanks around 1 user ids are cut off" in told
    assert "blanks around 2 item ids are cut off" in told and "blanks around 1 item ids are cut off" in told


def test_floating_ids_are_whole_numbers(tmp_path, capsys):
    dataset = imported(tmp_path, "user,item\n1.0,10.0\n,10.0\n2.0,11\n", ["10", "11"])
    assert dataset.interactions().select("user_id", "item_id").rows() == [("1", "10"), ("2", "11")]
    assert "item ids have a point (10.0): read as whole numbers (10)" in capsys.readouterr().err
    frame = pl.DataFrame({"user": [1.0, 2.0, None], "item": [10.0, 11.0, 10.0]})
    frame.write_parquet(tmp_path / "log.parquet")
    made = import_table(tmp_path / "log.parquet", tmp_path / "other", items=tmp_path / "shop" / "items.csv")
    assert chosen_items(made) == ["10", "11"]


@pytest.mark.parametrize("ids", [["1", "01", "1.0"], ["1.0", "1.5"], ["1.0", "x"]])
def test_ids_that_would_not_stay_apart_or_are_no_whole_numbers_stay(tmp_path, ids):
    assert chosen_items(imported(tmp_path, ids, ids)) == ids
