"""Tables as text: ids stay as written, and a bad row is named and never shifts its neighbours."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makers import write
from viral.base.errors import DataError
from viral.data.importers.readers.formats import Column, read_rows
from viral.data.importers.readers.raw import ROW

ID, NAME = Column("item", ("item", "item_id"), required=True), Column("title", ("title",))


def read(tmp_path, content, name="t.csv", wanted=(ID, NAME), columns=None):
    return read_rows(write(tmp_path / name, content), wanted, columns)


def faults(rows):
    return [(fault.row, fault.field, fault.reason, fault.value) for fault in rows.rejections]


def table(rows):
    return rows.frame.drop(ROW).rows()


def test_ids_that_look_like_numbers_stay_as_written(tmp_path):
    rows = read(tmp_path, "item,title\n007,1\n7,2\n7.0,3\n1e3,4\n0x1F,5\nNA,6\nnull,7\ntrue,8\n 9 ,9\n")
    assert rows.frame["item"].to_list() == ["007", "7", "7.0", "1e3", "0x1F", "NA", "null", "true", " 9 "]
    assert rows.frame[ROW].to_list() == list(range(1, 10))


def test_only_the_wanted_columns_are_read_by_name_not_by_place(tmp_path):
    rows = read(tmp_path, "price,title,item_id\n1,kettle,a\n2,pot,b\n")
    assert rows.frame.columns == [ROW, "item", "title"]
    assert table(rows) == [("a", "kettle"), ("b", "pot")]
    assert rows.names == {"item": "item_id", "title": "title"}


def test_a_column_that_may_be_absent_is(tmp_path):
    assert not read(tmp_path, "item\na\n").has("title")


def test_a_ragged_row_is_named_and_shifts_nothing(tmp_path):
    rows = read(tmp_path, "item,title\na,1\nb\nc,3,extra\n,\nd,4\ne,5,\n")
    assert table(rows) == [("a", "1"), ("", ""), ("d", "4")]
    assert rows.frame[ROW].to_list() == [1, 4, 5]
    assert faults(rows) == [
        (2, "", "wrong number of fields", "b"),
        (3, "", "wrong number of fields", "c,3,extra"),
        (6, "", "wrong number of fields", "e,5,"),
    ]


def test_a_stray_quote_costs_one_row_not_the_rest_of_the_file(tmp_path):
    rows = read(tmp_path, 'item,title\na,1\nb,"never closed\nc,3\nd,"four, and\nhalf"\ne,5\n')
    assert table(rows) == [("a", "1"), ("c", "3"), ("d", "four, and\nhalf"), ("e", "5")]
    assert rows.frame[ROW].to_list() == [1, 3, 4, 5]
    assert faults(rows) == [(2, "", "broken quoting", 'b,"never closed')]


def test_a_quote_that_is_open_at_the_end_costs_one_row(tmp_path):
    lines = "".join(f"i{number},{number}\n" for number in range(30_000))  # more than a field may hold
    rows = read(tmp_path, f'item,title\nx,"open\n{lines}')
    assert rows.frame.height == 30_000
    assert faults(rows) == [(1, "", "broken quoting", 'x,"open')]


def test_two_stray_quotes_cost_two_rows(tmp_path):
    rows = read(tmp_path, 'item,title\na,"open\nb,2\n\nc,"3\nd,4\ne,5\n')
    assert rows.frame.rows() == [(2, "b", "2"), (4, "d", "4"), (5, "e", "5")]
    assert [fault[::2] for fault in faults(rows)] == [(1, "broken quoting"), (3, "broken quoting")]


def test_a_line_with_quotes_of_its_own_behind_a_stray_one_is_given_up(tmp_path):
    rows = read(tmp_path, 'item,title\na,"open\nb,""2\nc,"3"\nd,4\n')
    assert table(rows) == [("d", "4")]
    assert faults(rows) == [(1, "", "broken quoting", 'a,"open … and 2 more lines')]


def test_lines_that_are_no_records_are_given_up_with_the_broken_one_and_counted(tmp_path):
    rows = read(tmp_path, 'item,title\na,"open\nand on\nand "on" it goes\nb,2\n')
    assert table(rows) == [("b", "2")]
    assert faults(rows) == [(1, "", "broken quoting", 'a,"open … and 2 more lines')]


def test_a_field_too_long_is_named(tmp_path):
    rows = read(tmp_path, f"item,title\na,{'x' * 200_000}\nb,2\n")
    assert table(rows) == [("b", "2")]
    (fault,) = faults(rows)
    assert fault[:3] == (1, "title", "field too long")
    assert len(fault[3]) == 200


def test_bytes_that_are_no_utf8_are_named_by_row_and_field(tmp_path):
    rows = read(tmp_path, b"item,title\na,caf\xc3\xa9\nb,caf\xe9\n\xff,x\nd,4\n")
    assert table(rows) == [("a", "café"), ("d", "4")]
    assert faults(rows) == [(2, "title", "not UTF-8", "caf\\udce9"), (3, "item", "not UTF-8", "\\udcff")]


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path):
    assert table(read(tmp_path, b"\xef\xbb\xbfitem,title\na,1\n")) == [("a", "1")]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-8-sig"])
def test_wide_encodings_are_read(tmp_path, encoding):
    assert table(read(tmp_path, "item,title\na,Café\n".encode(encoding))) == [("a", "Café")]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_every_line_ending_is_read_and_blank_lines_are_no_rows(tmp_path, ending):
    rows = read(tmp_path, ending.join(["item,title", "a,1", "", "b,2", ""]))
    assert table(rows) == [("a", "1"), ("b", "2")]
    assert rows.frame[ROW].to_list() == [1, 2]


@pytest.mark.parametrize(("name", "delimiter"), [("t.csv", ","), ("t.csv", ";"), ("t.csv", "\t"), ("t.txt", "|")])
def test_the_delimiter_is_that_of_the_first_line(tmp_path, name, delimiter):
    rows = read(
        tmp_path,
        f"item{delimiter}title{delimiter}x\na{delimiter}1, 2{delimiter}\n".replace(
            "1, 2", '"1, 2"' if delimiter == "," else "1, 2"
        ),
        name,
    )
    assert table(rows) == [("a", "1, 2")]


def test_a_tab_separated_file_is_so_by_its_name(tmp_path):
    assert table(read(tmp_path, "item\ttitle, new\na\tb, c\n", "t.tsv", (ID,))) == [("a",)]


def test_a_missing_column_is_said_with_those_there_and_the_words_that_help(tmp_path):
    with pytest.raises(DataError) as caught:
        read(tmp_path, "sku,name\n1,x\n")
    text = str(caught.value)
    for part in ("t.csv", "'item'", "sku, name", "--column item=NAME"):
        assert part in text


def test_a_mapped_column_must_be_there_even_if_it_may_be_absent(tmp_path):
    assert table(read(tmp_path, "sku,title\n1,x\n", columns={"item": "sku"})) == [("1", "x")]
    with pytest.raises(DataError, match="column 'label' is missing"):
        read(tmp_path, "item,title\n1,x\n", columns={"title": "label"})


@pytest.mark.parametrize(
    ("content", "message"),
    [("", "empty"), ("\n\n", "empty"), ("item,title,item\n1,2,3\n", "occurs twice"), ('item,"tit\n', "cannot be read")],
)
def test_a_first_line_that_cannot_be_used(tmp_path, content, message):
    with pytest.raises(DataError, match=message):
        read(tmp_path, content)


def test_an_absent_file_and_an_unknown_kind(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read_rows(tmp_path / "none.csv", (ID,))
    with pytest.raises(DataError, match=r"unknown kind of file '\.doc'\n.*\.xlsx.*\.gz"):
        read(tmp_path, "x", "t.doc")


cells = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
records = st.lists(st.lists(cells, min_size=1, max_size=4), max_size=12)


@given(records)
def test_every_csv_row_is_read_as_written_or_named(tmp_path_factory, rows):
    """Whatever the cells hold (quotes, commas, line ends), rows of two fields survive and all others are counted."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer, quoting=csv.QUOTE_ALL).writerows([["item", "title"], *rows])
    read_back = read(tmp_path_factory.mktemp("csv"), buffer.getvalue().encode())
    assert table(read_back) == [tuple(row) for row in rows if len(row) == 2]
    numbers = [number for number, row in enumerate(rows, 1) if len(row) != 2]
    assert [fault.row for fault in read_back.rejections] == numbers
