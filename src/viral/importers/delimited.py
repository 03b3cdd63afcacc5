"""CSV and its relatives: quotes are obeyed strictly, and no row with a wrong number of fields is filled or cut."""

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

from viral.errors import DataError
from viral.importers.raw import Bad, Raw, gather, open_text, printable

_DELIMITERS = {".tsv": "\t", ".tab": "\t", ".inter": "\t"}


def read_delimited(path: Path, names: Sequence[str]) -> Raw:
    """Read the columns of ``names`` that the file has; its first line names its columns.

    Raises ``DataError`` where there is no such line, or a wanted column is in it twice.
    """
    with open_text(path) as file:
        first = file.readline()
        if not first.strip():
            raise DataError("the file is empty", where=str(path), hint="the first line must name the columns")
        delimiter = _DELIMITERS.get(path.suffix.lower()) or max(",;\t|", key=first.count)
        header = _header(path, first, delimiter)
        wanted = [name for name in dict.fromkeys(names) if name in header]
        for name in wanted:
            if header.count(name) > 1:
                raise DataError(f"column {name!r} occurs twice", where=str(path), hint="rename one of the two")
        places = [header.index(name) for name in wanted]
        rows = _rows(file, delimiter, len(header), places)
        return Raw(header, *gather(path, rows, wanted))


def _header(path: Path, line: str, delimiter: str) -> list[str]:
    try:
        return [printable(name.strip()) for name in next(csv.reader([line], delimiter=delimiter, strict=True))]
    except csv.Error as error:
        raise DataError(f"the first line cannot be read ({error})", where=str(path), hint="mend its quotes") from None


def _rows(file: TextIO, delimiter: str, width: int, places: Sequence[int]) -> Iterator[list[str] | Bad]:
    for record in _records(file, delimiter, width):
        if isinstance(record, Bad):
            yield record
        elif len(record) != width:
            yield Bad("wrong number of fields", delimiter.join(record))
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
            used.append(line)
            yield line

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
