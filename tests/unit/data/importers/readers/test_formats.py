"""JSON lines and Parquet as text."""

import json
from datetime import datetime

import polars as pl
import pytest

from makers import write
from viral.base.errors import DataError
from viral.data.importers.readers.formats import Column, read_rows
from viral.data.importers.readers.raw import ROW

ID, NAME = Column("item", ("item", "item_id"), required=True), Column("title", ("title",))
NOTE = Column("text", ("text",))


def read(tmp_path, content, name="t.csv", wanted=(ID, NAME), columns=None):
    return read_rows(write(tmp_path / name, content), wanted, columns)


def faults(rows):
    return [(fault.row, fault.field, fault.reason, fault.value) for fault in rows.rejections]


def table(rows):
    return rows.frame.drop(ROW).rows()


def test_json_numbers_stay_as_written(tmp_path):
    lines = [
        '{"item": 7, "title": "a"}',
        '{"item": "007"}',
        '{"title": null, "item": 12345678901234567890}',
        '{"item": 7.10, "title": ["red", "kettle", null, 2]}',
        '{"item": true, "title": {"de": "Kanne"}}',
    ]
    rows = read(tmp_path, "\n".join(lines), "t.jsonl")
    assert table(rows) == [
        ("7", "a"),
        ("007", None),
        ("12345678901234567890", None),
        ("7.10", "red kettle 2"),
        ("true", '{"de": "Kanne"}'),
    ]


def test_bad_json_lines_are_named(tmp_path):
    deep = '{"item": ' + "[" * 100_000 + "}"
    lines = ['{"item": "a"}', "{'item': 'b'}", "[1]", "", '{"item": "c"', r'{"item": "\ud800"}', deep, '{"item": "z"}']
    rows = read(tmp_path, "\n".join(lines), "t.jsonl", (ID,))
    assert table(rows) == [("a",), ("z",)]
    assert rows.frame[ROW].to_list() == [1, 7]
    assert [(fault.row, fault.reason) for fault in rows.rejections] == [
        (2, "not valid JSON"),
        (3, "not a JSON object"),
        (4, "not valid JSON"),
        (5, "not UTF-8"),
        (6, "not valid JSON"),
    ]


def test_json_keys_may_come_late_and_a_missing_one_is_named(tmp_path):
    rows = read(tmp_path, '{"item": "a"}\n{"item": "b", "title": "T"}\n', "t.ndjson")
    assert table(rows) == [("a", None), ("b", "T")]
    with pytest.raises(DataError, match="the columns are: sku, title"):
        read(tmp_path, '{"sku": 1}\n{"title": 2}\n', "t.jsonl")


def test_parquet_numbers_dates_and_lists_become_text(tmp_path):
    frame = pl.DataFrame({"item": [7, None, 9], "title": ["a", "b", None], "text": [["x", None, "y"], [], None]})
    frame = frame.with_columns(when=pl.Series([datetime(2024, 1, 2, 3, 4, 5), None, None]))
    frame.write_parquet(tmp_path / "t.parquet")
    when = Column("timestamp", ("when",))
    rows = read_rows(tmp_path / "t.parquet", (ID, NAME, NOTE, when))
    assert table(rows) == [
        ("7", "a", "x y", "2024-01-02 03:04:05.000000"),
        (None, "b", "", None),
        ("9", None, None, None),
    ]
    assert rows.frame[ROW].to_list() == [1, 2, 3]


def test_parquet_that_is_none_or_holds_bytes(tmp_path):
    with pytest.raises(DataError, match="not a Parquet file"):
        read(tmp_path, "item,title\n", "t.parquet")
    pl.DataFrame({"item": [b"\xff"]}).write_parquet(tmp_path / "b.parquet")
    with pytest.raises(DataError, match="column 'item' holds Binary, not text"):
        read_rows(tmp_path / "b.parquet", (ID,))


def test_a_great_file_is_read_in_pieces_without_a_seam(tmp_path):
    lines = [json.dumps({"item": str(number)}) for number in range(5_001)]
    lines[4_000] = "{"
    rows = read(tmp_path, "\n".join(lines), "t.jsonl", (ID,))
    kept = [number for number in range(5_001) if number != 4_000]
    assert rows.frame.rows() == [(number + 1, str(number)) for number in kept]
    assert faults(rows) == [(4_001, "", "not valid JSON", "{")]


@pytest.mark.parametrize("shape", ["{}\n", "[{}]"], ids=["a line", "an array"])
def test_half_a_character_in_a_name_is_another_column(tmp_path, shape):
    row = '{"item": "a", "title": "T", "tim\\ud800": 1}'
    rows = read(tmp_path, shape.replace("{}", row), "t.json")
    assert table(rows) == [("a", "T")]
    assert faults(rows) == []
