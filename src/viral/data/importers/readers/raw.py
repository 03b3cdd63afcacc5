"""What every file format is read into: a frame of text, the row numbers, and the rows that could not be read."""

import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import polars as pl

from viral.data.dataset import Rejection
from viral.data.importers.readers.compressed import open_bytes
from viral.data.importers.readers.encodings import UTF8, encoding_of

ROW = "\0row"  # the number of a data row in its file, from 1; no file has a column of that name
MAX_FIELD = 131_072  # bytes of one field; what is longer is an accident of quotes, not a text
LEFT_EMPTY = ", field left empty"  # ends the reason of a fault that costs a field and not its row
_SHOWN = 200  # characters of a bad value that are kept
_CHUNK = 2_000  # rows held as Python objects at a time; more only feeds the garbage collector
Row = Sequence[str | None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is wanted of a file: the names of columns (None: all of them), and at most how many rows.

    A fault in a field of ``losable`` costs that field; one in any other field costs its row. ``encoding`` is what the
    user says of files that are not UTF-8.
    """

    names: Sequence[str] | None
    losable: frozenset[str] = frozenset()
    limit: int | None = None
    encoding: str | None = None

    def among(self, present: Sequence[str]) -> list[str]:
        """The columns that are wanted and there."""
        return [name for name in dict.fromkeys(present if self.names is None else self.names) if name in present]


@dataclass(frozen=True, slots=True)
class Raw:
    """A file as read."""

    present: Sequence[str]  # every column of the file
    frame: pl.DataFrame  # the wanted ones among them, by the file's names, as text; and ROW
    rejections: tuple[Rejection, ...] = ()
    told: str = ""  # the format in words: "cp1252, separated by ;"


@dataclass(frozen=True, slots=True)
class Bad:
    """A row that could not be read, or a field of it."""

    reason: str
    value: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class Partial:
    """A row of which some fields could not be read; they are None."""

    values: Row
    lost: tuple[Bad, ...]


def in_a_row(*parts: str) -> str:
    """What is said of several things, those of which nothing is said left out."""
    return ", ".join(filter(None, parts))


def printable(value: object) -> str:
    """A bad value as valid text of bounded length."""
    text = "" if value is None else str(value)
    return text[:_SHOWN].encode("utf-8", "backslashreplace").decode("utf-8")


@contextmanager
def open_text(path: Path, encoding: str | None = None) -> Iterator[tuple[TextIO, str]]:
    """The file as text, and in words how it is encoded where that is not UTF-8.

    Bytes that the encoding does not have become lone surrogates, which ``gather`` names.
    """
    found = encoding_of(path, encoding)
    plain = found.name in (UTF8, "utf-8-sig")
    with open_bytes(path) as file:
        errors = "replace" if found.name.startswith(("utf-16", "utf-32")) else "surrogateescape"
        with io.TextIOWrapper(file, encoding="utf-8-sig" if plain else found.name, errors=errors, newline="") as text:
            looks = " by its looks (if it is not, say --encoding)" if found.guessed else ""
            yield text, "" if plain else f"{found.name}{looks}"


def gather(
    path: Path, rows: Iterator[Row | Bad | Partial], names: Sequence[str], asked: Asked
) -> tuple[pl.DataFrame, tuple[Rejection, ...]]:
    """Number the rows, set the bad ones apart, and pack the others into a frame of ROW and ``names``."""
    frames, rejections = [_frame([], names)], list[Rejection]()
    numbered = enumerate(islice(rows, asked.limit), 1)
    while chunk := list(islice(numbered, _CHUNK)):
        good, bad = _parted(chunk)
        frame = _whole(good, names)
        if frame is None:
            good, bad = _parted((number, _checked(row, names, asked.losable)) for number, row in chunk)
            frame = _frame(good, names)
        frames.append(frame)
        rejections += [Rejection(path.name, number, row.field, row.reason, printable(row.value)) for number, row in bad]
    return pl.concat(frames, rechunk=True), tuple(rejections)


def _parted(
    rows: Iterable[tuple[int, Row | Bad | Partial]],
) -> tuple[list[tuple[Any, ...]], list[tuple[int, Bad]]]:
    good, bad = list[tuple[Any, ...]](), list[tuple[int, Bad]]()
    for number, row in rows:
        if isinstance(row, Bad):
            bad.append((number, row))
        elif isinstance(row, Partial):
            bad += [(number, lost) for lost in row.lost]
            good.append((number, *row.values))
        else:
            good.append((number, *row))
    return good, bad


def _whole(rows: Sequence[tuple[Any, ...]], names: Sequence[str]) -> pl.DataFrame | None:
    """The frame of rows without a fault in them; None where one is not valid text, or too long."""
    try:
        frame = _frame(rows, names)
    except UnicodeEncodeError:
        return None
    longest = frame.select(pl.max_horizontal(pl.col(pl.String).str.len_bytes().max())).to_series() if names else None
    return None if longest is not None and (longest.max() or 0) > MAX_FIELD else frame  # type: ignore[operator]


def _frame(rows: Sequence[tuple[Any, ...]], names: Sequence[str]) -> pl.DataFrame:
    columns = zip(*rows, strict=True) if rows else ((),) * (1 + len(names))
    kinds = {ROW: pl.Int64(), **dict.fromkeys(names, pl.String())}
    return pl.DataFrame([pl.Series(name, values, kinds[name]) for name, values in zip(kinds, columns, strict=True)])


def _checked(row: Row | Bad | Partial, names: Sequence[str], losable: frozenset[str]) -> Row | Bad | Partial:
    """The row with each faulty field lost, or lost as a whole where the field is one that it cannot do without."""
    if isinstance(row, Bad):
        return row
    values, lost = (row.values, list(row.lost)) if isinstance(row, Partial) else (row, [])
    kept = list(values)
    for place, (name, value) in enumerate(zip(names, values, strict=True)):
        reason = _fault(value)
        if reason is None:
            continue
        if name not in losable:
            return Bad(reason, value or "", name)
        lost.append(Bad(reason + LEFT_EMPTY, value or "", name))
        kept[place] = None
    return Partial(kept, tuple(lost)) if lost else kept


def _fault(value: str | None) -> str | None:
    if not value:
        return None
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        return "not UTF-8"
    return "field too long" if len(value.encode()) > MAX_FIELD else None
