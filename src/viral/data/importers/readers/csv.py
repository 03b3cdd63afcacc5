"""CSV and its relatives: quotes are obeyed strictly, and no row with a wrong number of fields is filled or cut."""

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from viral.base.errors import DataError
from viral.data.importers.readers.compressed import kind_of
from viral.data.importers.readers.raw import (
    LEFT_EMPTY,
    Asked,
    Bad,
    Partial,
    Raw,
    Row,
    gather,
    in_a_row,
    open_text,
    printable,
)

_TABS = (".tsv", ".tab", ".inter")
_DELIMITERS = (",", ";", "\t", "|")
_DOUBLE = "::"  # between the fields of MovieLens' older files; read as one character that no text has
_ONE = "\x1f"
_NAMES = {"\t": "tabs", _ONE: _DOUBLE}
csv.field_size_limit(2**24)  # so that a long field is read and named with its row; `gather` knows what is too long


@dataclass(frozen=True, slots=True)
class _Form:
    """How the rows are written, and where in them stands what is wanted."""

    delimiter: str
    header: Sequence[str]
    places: Sequence[int]  # of the wanted columns
    losable: Sequence[bool]  # whether a fault there costs the field alone


def read_delimited(path: Path, asked: Asked) -> Raw:
    """Read the columns that are asked for and there; the first line names the columns.

    Raises ``DataError`` where there is no such line, or a wanted column is in it twice.
    """
    with open_text(path, asked.encoding) as (file, told):
        delimiter, header = _header(path, file)
        wanted = asked.among(header)
        for name in wanted:
            if asked.names is not None and header.count(name) > 1:
                raise DataError(f"column {name!r} occurs twice", where=str(path), hint="rename one of the two")
        form = _Form(delimiter, header, list(map(header.index, wanted)), [name in asked.losable for name in wanted])
        frame, rejections = gather(path, _rows(file, form), wanted, asked)
    separated = "" if delimiter == "," else f"separated by {_NAMES.get(delimiter, delimiter)}"
    return Raw(header, frame, rejections, in_a_row(told, separated))


def _header(path: Path, file: TextIO) -> tuple[str, list[str]]:
    """The delimiter and the names of the columns, by the first line that is not blank."""
    first, said = file.readline(), ""
    if first.lower().startswith("sep=") and len(first.rstrip("\r\n")) == len("sep=;"):  # Excel's own word for it
        said, first = first[4], file.readline()
    while first and not first.strip():
        first = file.readline()
    if not first:
        raise DataError("the file is empty", where=str(path), hint="the first line must name the columns")
    if "\0" in first:
        raise DataError("the file is not text", where=str(path), hint="give a table: CSV, JSON, Parquet or Excel")
    delimiter = said or _delimiter(path, first)
    first = first.replace(_DOUBLE, _ONE) if delimiter == _ONE else first
    try:
        names = next(csv.reader([first], delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise DataError(f"the first line cannot be read ({error})", where=str(path), hint="mend its quotes") from None
    return delimiter, [printable(name.strip()) for name in names]


def _delimiter(path: Path, first: str) -> str:
    """What separates the names of the first line; what stands in quotes does not count."""
    outside = "".join(first.split('"')[::2])
    if kind_of(path) in _TABS and "\t" in outside:
        return "\t"
    if _DOUBLE in outside and not any(letter in outside for letter in _DELIMITERS):
        return _ONE
    return max(_DELIMITERS, key=outside.count)


def _rows(file: TextIO, form: _Form) -> Iterator[Row | Bad | Partial]:
    width, places = len(form.header), form.places
    for record in _records(file, form.delimiter, width):
        if isinstance(record, Bad):
            yield _salvaged(record, form)
        elif len(record) != width:
            yield _of_other_width(record, form)
        else:
            yield [record[place] for place in places]


def _records(file: TextIO, delimiter: str, width: int) -> Iterator[list[str] | Bad]:
    """Yield every record that is not a blank line.

    One stray quote makes a record of all the lines up to the next quote. If those between are good records by
    themselves, only the line with the stray one is given up and the others are read again; else all of them are.
    """
    waiting: deque[str] = deque()
    used: list[str] = []

    def lines() -> Iterator[str]:
        while line := waiting.popleft() if waiting else file.readline():
            used.append(line.replace(_DOUBLE, _ONE) if delimiter == _ONE else line)
            yield used[-1]

    while True:
        try:
            for record in csv.reader(lines(), delimiter=delimiter, strict=True):
                used.clear()
                if record:
                    yield record
            return
        except csv.Error as error:
            reason = "field too long" if len(used) == 1 and "limit" in str(error) else "broken quoting"
            lost = used[0].rstrip("\r\n")
            if all(_is_record(line, delimiter, width) for line in used[1:-1]):
                waiting.extendleft(reversed(used[1:]))
            else:
                lost = f"{lost[:100]} … and {len(used) - 1} more lines"
            yield Bad(reason, lost)
            used.clear()


def _is_record(line: str, delimiter: str, width: int) -> bool:
    try:
        return len(next(csv.reader([line], delimiter=delimiter, strict=True))) in (0, width)
    except csv.Error:
        return False


def _of_other_width(record: Sequence[str], form: _Form) -> Bad | Partial:
    """A row with too many fields holds a delimiter without quotes: what stands before all that can be lost is sure."""
    bad = Bad("wrong number of fields", form.delimiter.join(record))
    both = list(zip(form.places, form.losable, strict=True))
    sure = [place for place, can_go in both if not can_go]
    if len(record) < len(form.header) or len(sure) == len(both) or sorted(sure) != list(range(len(sure))):
        return bad
    lost = next(place for place, can_go in both if can_go)
    values = [record[place] if place in sure else None for place in form.places]
    return Partial(values, (Bad(f"{bad.reason}{LEFT_EMPTY}", bad.value, form.header[lost]),))


def _salvaged(broken: Bad, form: _Form) -> Row | Bad | Partial:
    """A line that is no record by the rules of CSV: with the quotes of MySQL, or else what stands beside the quotes.

    The fields before the first quote and those after the last are sure. If the others can all be lost, the row stays.
    """
    line, width = broken.value, len(form.header)
    try:
        escaped = next(csv.reader([line], delimiter=form.delimiter, escapechar="\\", strict=True))
        if len(escaped) == width:
            return [escaped[place] for place in form.places]
    except (csv.Error, StopIteration):
        pass
    pieces = line.split(form.delimiter)
    quoted = [number for number, piece in enumerate(pieces) if '"' in piece]
    if not quoted or broken.reason != "broken quoting":
        return broken
    before, after = quoted[0], len(pieces) - 1 - quoted[-1]
    if before + after >= width or len(pieces) < width:
        return broken
    sure = dict(enumerate(pieces[:before])) | {width - back: pieces[-back] for back in range(1, after + 1)}
    if any(place not in sure and not can_go for place, can_go in zip(form.places, form.losable, strict=True)):
        return broken
    text = form.delimiter.join(pieces[before : quoted[-1] + 1])
    lost = [Bad(broken.reason + LEFT_EMPTY, text, form.header[place]) for place in form.places if place not in sure]
    return Partial([sure.get(place) for place in form.places], tuple(lost))
