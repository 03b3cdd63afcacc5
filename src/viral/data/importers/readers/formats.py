"""Tables as text: the columns that are looked for, under our names, whatever the format of the file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from viral.base.errors import DataError
from viral.data.importers.cells import joined
from viral.data.importers.readers.compressed import SUFFIXES as COMPRESSED
from viral.data.importers.readers.compressed import kind_of, refuse_foreign
from viral.data.importers.readers.csv import read_delimited
from viral.data.importers.readers.excel import SUFFIXES as WORKBOOKS
from viral.data.importers.readers.excel import read_excel
from viral.data.importers.readers.json import holds_json, read_json
from viral.data.importers.readers.parquet import read_parquet_file
from viral.data.importers.readers.raw import ROW, Asked, Raw, printable
from viral.data.importers.rows import CheckedRows

_READERS: Mapping[str, Callable[[Path, Asked], Raw]] = {
    **dict.fromkeys((".csv", ".tsv", ".tab", ".txt", ".dat", ".inter", ".item", ".user"), read_delimited),
    ".parquet": read_parquet_file,
    **dict.fromkeys((".jsonl", ".ndjson", ".json"), read_json),
    **dict.fromkeys(WORKBOOKS, read_excel),
}
SUFFIXES = tuple(_READERS)
_SAMPLE = 10_000  # rows that are looked at before the columns are chosen


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is looked for: our name, the names it goes by in files, and whether it must be there.

    ``words``: what cannot be read of it costs the field and not its row. ``members``: a list is kept as JSON, where it
    otherwise becomes its members in a row.
    """

    name: str
    aliases: tuple[str, ...]
    required: bool = False
    words: bool = False
    members: bool = False


def required(**names: str) -> tuple[Column, ...]:
    """Columns that must be there, ours by the file's name."""
    return tuple(Column(ours, (theirs,), required=True) for ours, theirs in names.items())


def optional(**names: str) -> tuple[Column, ...]:
    """Columns that may be there, ours by the file's name."""
    return tuple(Column(ours, (theirs,)) for ours, theirs in names.items())


def is_table(path: Path) -> bool:
    """Whether the name is that of a file that can be read here."""
    return kind_of(path) in SUFFIXES and not path.name.startswith((".", "~$"))


def look(path: Path, encoding: str | None = None) -> Raw:
    """The first rows of a table, all their columns as text."""
    return _read(path, Asked(None, limit=_SAMPLE, encoding=encoding))


def read_columns(path: Path, names: Sequence[str], encoding: str | None = None) -> pl.DataFrame:
    """Some columns of a table as text, by the file's names, without the rows that cannot be read."""
    return _read(path, Asked(names, frozenset(names), encoding=encoding)).frame.drop(ROW)


def read_rows(
    path: Path,
    wanted: Sequence[Column],
    columns: Mapping[str, str] | None = None,
    option: str = "--column {}",
    encoding: str | None = None,
) -> CheckedRows:
    """Read the ``wanted`` columns of a table as text, under our names.

    ``columns`` (ours -> theirs) overrides the aliases; ``option`` is by what words a user gives it ("" if there are
    none). Raises ``DataError`` where the file cannot be read at all, or a required (or mapped) column is missing.
    """
    columns = columns or {}
    names = {column.name: (columns[column.name],) if column.name in columns else column.aliases for column in wanted}
    losable = frozenset(name for column in wanted if column.words for name in names[column.name])
    asked = Asked([name for candidates in names.values() for name in candidates], losable, encoding=encoding)
    raw = _read(path, asked)
    found: dict[str, str] = {}
    for column in wanted:
        theirs = next((name for name in names[column.name] if name in raw.present), None)
        if theirs is not None:
            found[column.name] = theirs
        elif column.required or column.name in columns:
            raise missing_column(path, column.name, names[column.name][0], raw.present, option)
    keeps = {column.name for column in wanted if column.members}
    frame = raw.frame.select(ROW, *(pl.col(theirs).alias(ours) for ours, theirs in found.items()))
    frame = frame.with_columns(joined(frame[ours]) for ours in found if ours not in keeps)
    return CheckedRows(path.name, frame, found, raw.rejections, raw.present)


def missing_column(
    path: Path, ours: str, theirs: str, present: Sequence[str], option: str = "--column {}"
) -> DataError:
    """The fault of a table without a column, with those that it has and the words that name another."""
    hint = f"say which one it is with {option.format(ours)}=NAME" if option else "give the column that name in the file"
    return DataError(f"column {theirs!r} is missing; {in_words(present)}", where=str(path), hint=hint)


def in_words(present: Sequence[str]) -> str:
    """The columns of a file, as an error says them."""
    there = ", ".join(printable(name) or "(no name)" for name in present[:30]) or "none"
    more = f" and {len(present) - 30} more" if len(present) > 30 else ""
    return f"the columns are: {there}{more}"


def _read(path: Path, asked: Asked) -> Raw:
    refuse_foreign(path)
    kind = kind_of(path)
    if kind not in _READERS:
        hint = f"use {', '.join(SUFFIXES)}, or one of these with {' or '.join(COMPRESSED)} behind it"
        raise DataError(f"unknown kind of file {kind!r}", where=str(path), hint=hint)
    reader = read_json if _READERS[kind] is read_delimited and holds_json(path) else _READERS[kind]
    return reader(path, asked)
