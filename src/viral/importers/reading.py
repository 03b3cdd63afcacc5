"""Tables as text: the columns that are looked for, under our names, whatever the format of the file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from viral.catalog import read_parquet
from viral.errors import DataError
from viral.importers.delimited import read_delimited
from viral.importers.jsonlines import read_json_lines
from viral.importers.raw import ROW, Raw, printable
from viral.importers.rows import Rows

SUFFIXES = (".csv", ".tsv", ".tab", ".txt", ".inter", ".parquet", ".jsonl", ".ndjson")


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is looked for: our name, the names it goes by in files, and whether it must be there."""

    name: str
    aliases: tuple[str, ...]
    required: bool = False


def read_rows(
    path: Path, wanted: Sequence[Column], columns: Mapping[str, str] | None = None, option: str = "--column {}"
) -> Rows:
    """Read the ``wanted`` columns of a table as text, under our names.

    ``columns`` (ours -> theirs) overrides the aliases; ``option`` is by what words a user gives it. Raises
    ``DataError`` where the file cannot be read at all, or a required (or mapped) column is missing.
    """
    columns = columns or {}
    names = {column.name: (columns[column.name],) if column.name in columns else column.aliases for column in wanted}
    if not path.is_file():
        raise DataError("no such file", where=str(path), hint="check the name")
    raw = _reader(path)(path, [name for candidates in names.values() for name in candidates])
    found: dict[str, str] = {}
    for column in wanted:
        theirs = next((name for name in names[column.name] if name in raw.present), None)
        if theirs is not None:
            found[column.name] = theirs
        elif column.required or column.name in columns:
            raise missing_column(path, column.name, names[column.name][0], raw.present, option)
    frame = raw.frame.select(ROW, *(pl.col(theirs).alias(ours) for ours, theirs in found.items()))
    return Rows(path.name, frame, found, raw.rejections, raw.present)


def missing_column(
    path: Path, ours: str, theirs: str, present: Sequence[str], option: str = "--column {}"
) -> DataError:
    """The fault of a table without a column, with those that it has and the words that name another."""
    there = ", ".join(printable(name) for name in present[:30]) or "none"
    return DataError(
        f"column {theirs!r} is missing; the columns are: {there}",
        where=str(path),
        hint=f"say which one it is with {option.format(ours)}=NAME",
    )


def _reader(path: Path) -> Callable[[Path, Sequence[str]], Raw]:
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise DataError(f"unknown kind of file {suffix!r}", where=str(path), hint=f"use {', '.join(SUFFIXES)}")
    readers = {".parquet": _read_parquet, ".jsonl": read_json_lines, ".ndjson": read_json_lines}
    return readers.get(suffix, read_delimited)


def _read_parquet(path: Path, names: Sequence[str]) -> Raw:
    frame = read_parquet(path, hint="check the file, or write it again")
    wanted = [name for name in dict.fromkeys(names) if name in frame.columns]
    texts = [_as_text(frame[name], path) for name in wanted]
    numbers = pl.int_range(1, frame.height + 1, dtype=pl.Int64, eager=True).alias(ROW)
    return Raw(frame.columns, pl.DataFrame([numbers, *texts]))


def _as_text(values: pl.Series, path: Path) -> pl.Series:
    """A column as text: dates as ISO 8601, lists as their members in a row."""
    kind = values.dtype
    if kind in (pl.Date, pl.Datetime):
        return values.dt.to_string("iso")
    if kind == pl.List(pl.String):
        return values.list.join(" ", ignore_nulls=True)
    if kind.is_nested() or kind in (pl.Binary, pl.Object, pl.Time, pl.Duration):
        raise DataError(f"column {values.name!r} holds {kind}, not text", where=str(path), hint="write it as text")
    return values.cast(pl.String)
