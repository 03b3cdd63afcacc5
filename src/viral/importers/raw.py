"""What every file format is read into: a frame of text, the row numbers, and the rows that could not be read."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import polars as pl

from viral.dataset import Rejection
from viral.errors import DataError

ROW = "\0row"  # the number of a data row in its file, from 1; no file has a column of that name
_SHOWN = 200  # characters of a bad value that are kept
_CHUNK = 2_000  # rows held as Python objects at a time; more only feeds the garbage collector


Row = Sequence[str | None]


@dataclass(frozen=True, slots=True)
class Raw:
    """A file as read."""

    present: Sequence[str]  # every column of the file
    frame: pl.DataFrame  # the wanted ones among them, by the file's names, as text; and ROW
    rejections: tuple[Rejection, ...] = ()


@dataclass(frozen=True, slots=True)
class Bad:
    """A row that could not be read."""

    reason: str
    value: str
    field: str = ""


def printable(value: object) -> str:
    """A bad value as valid text of bounded length."""
    text = "" if value is None else str(value)
    return text[:_SHOWN].encode("utf-8", "backslashreplace").decode("utf-8")


def open_text(path: Path) -> TextIO:
    """Open a UTF-8 file for reading by lines; bytes that are no UTF-8 become lone surrogates, which ``gather`` names.

    Raises ``DataError`` for UTF-16, which would not have one good line.
    """
    with path.open("rb") as file:
        if file.read(2) in (b"\xff\xfe", b"\xfe\xff"):
            raise DataError("the file is UTF-16, not UTF-8", where=str(path), hint="save it as UTF-8")
    return path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")


def gather(path: Path, rows: Iterator[Row | Bad], names: Sequence[str]) -> tuple[pl.DataFrame, tuple[Rejection, ...]]:
    """Number the rows, set the bad ones apart, and pack the others into a frame of ROW and ``names``."""
    frames, rejections = [_frame([], names)], list[Rejection]()
    numbered = enumerate(rows, 1)
    while chunk := list(islice(numbered, _CHUNK)):
        good, bad = _parted(chunk)
        try:
            frames.append(_frame(good, names))
        except UnicodeEncodeError:
            good, bad = _parted((number, row if isinstance(row, Bad) else _utf8(row, names)) for number, row in chunk)
            frames.append(_frame(good, names))
        rejections += [Rejection(path.name, number, row.field, row.reason, printable(row.value)) for number, row in bad]
    return pl.concat(frames, rechunk=True), tuple(rejections)


def _parted(rows: Iterable[tuple[int, Row | Bad]]) -> tuple[list[tuple[Any, ...]], list[tuple[int, Bad]]]:
    good, bad = list[tuple[Any, ...]](), list[tuple[int, Bad]]()
    for number, row in rows:
        if isinstance(row, Bad):
            bad.append((number, row))
        else:
            good.append((number, *row))
    return good, bad


def _frame(rows: Sequence[tuple[Any, ...]], names: Sequence[str]) -> pl.DataFrame:
    columns = zip(*rows, strict=True) if rows else ((),) * (1 + len(names))
    kinds = {ROW: pl.Int64(), **dict.fromkeys(names, pl.String())}
    return pl.DataFrame([pl.Series(name, values, kinds[name]) for name, values in zip(kinds, columns, strict=True)])


def _utf8(row: Row, names: Sequence[str]) -> Row | Bad:
    for name, value in zip(names, row, strict=True):
        if value and any("\ud800" <= letter <= "\udfff" for letter in value):
            return Bad("not UTF-8", value, name)
    return row
