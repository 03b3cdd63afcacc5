"""The catalogue: what is read, what is refused, and what is said about it."""

from pathlib import Path

import polars as pl
import pytest

from makers import write
from viral.base.errors import DataError, UnknownIdError
from viral.data.catalog import Catalog, Item, inside
from viral.data.parquet import read_parquet

ROWS = {
    "item_id": ["007", "ключ", "a/b"],
    "title": ["Red kettle", "", None],
    "text": ["Boils.", None, ""],
    "image": ["images/007.jpg", None, ""],
}


def saved(folder, **changes):
    columns = {name: values for name, values in (ROWS | changes).items() if values is not None}
    pl.DataFrame(columns, strict=False).write_parquet(folder / "items.parquet")
    return folder


def test_items_come_back_in_order_with_their_index_and_paths(tmp_path):
    catalog = Catalog.read(saved(tmp_path, category=["kitchen", None, None], image_url=[None, "https://x/y.png", None]))
    assert catalog.ids == ("007", "ключ", "a/b")
    assert list(catalog) == [
        Item("007", "Red kettle", "Boils.", tmp_path / "images/007.jpg", "kitchen", None),
        Item("ключ", "", "", None, None, "https://x/y.png"),
        Item("a/b", "", "", None),
    ]
    assert catalog["ключ"].image_url == "https://x/y.png"
    assert len(catalog) == 3
    assert "007" in catalog
    assert "7" not in catalog


def test_an_unknown_id_names_the_nearest():
    catalog = Catalog((Item("kettle-1", "", "", None), Item("teapot-1", "", "", None)))
    with pytest.raises(UnknownIdError, match="did you mean kettle-1"):
        catalog["kettle-2"]


def test_ids_are_unique_and_not_empty():
    one = Item("x", "", "", None)
    with pytest.raises(DataError, match=r"'x' occurs twice \(rows 1 and 3\)"):
        Catalog((one, Item("y", "", "", None), one))
    with pytest.raises(DataError, match="item row 2"):
        Catalog((one, Item("", "", "", None)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"title": None}, "column 'title' is missing"),
        ({"item_id": [7, 8, 9]}, "column 'item_id' must be text, it is Int64"),
        ({"image": [[b"x"], [b"y"], [b"z"]]}, "column 'image' must be text"),
        ({"category": [1, 2, 3]}, "column 'category' must be text"),
        ({"item_id": ["a", None, "c"]}, "an item without an id"),
        ({"image": ["../../etc/passwd", None, None]}, "leaves the data set folder"),
        ({"image": [None, "/etc/passwd", None]}, "'/etc/passwd' of item 'ключ' leaves"),
    ],
)
def test_a_table_that_cannot_be_used_is_a_data_error(tmp_path, changes, message):
    with pytest.raises(DataError, match=message):
        Catalog.read(saved(tmp_path, **changes))


def test_a_column_without_any_value_is_no_fault(tmp_path):
    assert Catalog.read(saved(tmp_path, title=[None] * 3)).items[0].title == ""


def test_an_absent_or_damaged_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"items\.parquet: no such file"):
        Catalog.read(tmp_path)
    whole = (saved(tmp_path) / "items.parquet").read_bytes()
    for damaged in (b"", b"PAR1", whole[:-20], whole[:40] + bytes(40) + whole[80:], b"item_id,title\n1,x\n"):
        write(tmp_path / "items.parquet", damaged)
        with pytest.raises(DataError, match=r"items\.parquet: not a Parquet file"):
            read_parquet(tmp_path / "items.parquet")


def test_the_fingerprint_follows_words_and_order_only():
    first, second = Item("a", "t", "x", None), Item("b", "t", "x", None)
    base = Catalog((first, second)).fingerprint
    assert Catalog((first, second)).fingerprint == base
    assert Catalog((Item("a", "t", "x", Path("images/a.png"), "c"), second)).fingerprint == base
    others = [(second, first), (Item("a", "T", "x", None), second), (Item("a", "tx", "", None), second), (first,)]
    assert len({base} | {Catalog(items).fingerprint for items in others}) == 5


@pytest.mark.parametrize("name", ["..", "images/../../x", "/x", "../x"])
def test_inside_refuses_what_leaves(tmp_path, name):
    with pytest.raises(DataError, match="leaves the data set folder"):
        inside(tmp_path, name, "id")


def test_inside_takes_odd_names_that_stay(tmp_path):
    assert inside(tmp_path, "images/..jpg", "id") == tmp_path / "images/..jpg"
    assert inside(tmp_path, "images/a%2Fb.jpg", "id") == tmp_path / "images/a%2Fb.jpg"
