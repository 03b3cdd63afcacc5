"""Rows of text on their way in: each keeps its number in the file, and each that is left out is named."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from viral.base.errors import DataError
from viral.data.dataset import Rejection
from viral.data.importers.readers.raw import LEFT_EMPTY, ROW, Asked, Bad, Row, gather, printable
from viral.data.importers.times import Times, read_times

_TIME, _PLACE = "#time", "#place"
FILE = "\0file"  # where the rows are of several files: the name of each row's own


@dataclass(frozen=True, slots=True)
class CheckedRows:
    """The rows of one file that are still good, and those that were left out with the reason."""

    file: str
    frame: pl.DataFrame  # our column names, all text, and ROW
    names: Mapping[str, str] = field(default_factory=dict)  # our column name -> the file's
    rejections: tuple[Rejection, ...] = ()
    present: Sequence[str] = ()  # every column of the file

    def without(self, bad: pl.Expr, column: str, reason: str) -> "CheckedRows":
        """The rows for which ``bad`` does not hold; the others are rejected, with their value of ``column``."""
        mask = self.frame.select(bad.fill_null(value=False)).to_series()
        if not mask.any():
            return self
        file = pl.col(FILE) if FILE in self.frame.columns else pl.lit(self.file)
        faults = tuple(
            Rejection(file, row, self.names.get(column, column), reason, printable(value))
            for file, row, value in self.frame.filter(mask).select(file.alias(FILE), ROW, column).iter_rows()
        )
        return replace(self, frame=self.frame.filter(~mask), rejections=self.rejections + faults)

    def only(self, wanted: pl.Expr) -> "CheckedRows":
        """The rows for which ``wanted`` holds; the others are not faulty, only not asked for."""
        return replace(self, frame=self.frame.filter(wanted))

    def with_columns(self, **columns: pl.Expr | pl.Series) -> "CheckedRows":
        """The same rows with columns added or replaced."""
        return replace(self, frame=self.frame.with_columns(**columns))

    def has(self, column: str) -> bool:
        return column in self.frame.columns

    @property
    def num_read(self) -> int:
        """How many rows the file had: these, and those that were left out as a whole."""
        return self.frame.height + sum(not fault.reason.endswith(LEFT_EMPTY) for fault in self.rejections)


def headless(path: Path, rows: Iterator[Row | Bad], names: Sequence[str]) -> CheckedRows:
    """The rows of a file that does not name its columns."""
    frame, rejections = gather(path, rows, names, Asked(names))
    return CheckedRows(path.name, frame, dict(zip(names, names, strict=True)), rejections, names)


def filled(column: str) -> pl.Expr:
    """A column of text as it is written; null where it is empty or only blanks."""
    return pl.when(pl.col(column).str.strip_chars() != "").then(pl.col(column)).alias(column)


def with_ids(rows: CheckedRows, *columns: str) -> CheckedRows:
    """Leave out rows whose id is empty or only blanks; other ids stay exactly as written."""
    for column in columns:
        rows = rows.without(filled(column).is_null(), column, f"empty {column} id")
    return rows


def with_known_items(rows: CheckedRows, item_ids: pl.Series) -> CheckedRows:
    """Leave out rows whose ``item`` is none of ``item_ids``."""
    return rows.without(~pl.col("item").is_in(item_ids.implode()), "item", "unknown item")


def with_items(rows: CheckedRows, item_ids: Sequence[str]) -> CheckedRows:
    """With a row for each of ``item_ids`` that has none; it says nothing but its id."""
    missing = pl.DataFrame({"item": pl.Series(item_ids, dtype=pl.String)}).join(rows.frame, on="item", how="anti")
    return replace(rows, frame=pl.concat([rows.frame, missing], how="diagonal")) if missing.height else rows


def with_one_row_per_item(rows: CheckedRows) -> CheckedRows:
    """Keep the first row of every ``item`` that has an id."""
    return with_ids(rows, "item").without(~pl.col("item").is_first_distinct(), "item", "duplicate item")


def with_one_row_per_pair(rows: CheckedRows) -> CheckedRows:
    """Keep one row of every (user, item): the earliest where there is a ``timestamp``, else the first."""
    frame = rows.frame.with_columns(pl.int_range(pl.len()).alias(_PLACE))
    if rows.has("timestamp"):
        frame = frame.sort("timestamp", nulls_last=True, maintain_order=True)
    kept = frame.unique(["user", "item"], keep="first", maintain_order=True)[_PLACE]
    return rows.without(~pl.int_range(pl.len()).is_in(kept.implode()), "item", "duplicate pair")


def with_numbers(rows: CheckedRows, column: str) -> CheckedRows:
    """Turn a text column into float64; rows without a finite number are left out."""
    number = pl.col(column).str.strip_chars().cast(pl.Float64, strict=False)
    rows = rows.without(~number.is_finite().fill_null(value=False), column, "not a number")
    return rows.with_columns(**{column: number})


def with_times(rows: CheckedRows, *, required: bool) -> CheckedRows:
    """Turn ``timestamp`` into numbers: those given as numbers as they are, dates as seconds since 1970.

    Rows with something else are left out; rows with nothing too, where ``required``. Whole numbers give int64. A table
    without the column stays as it is, unless it is ``required``.
    """
    return timed(rows, required=required)[0] if required or rows.has("timestamp") else rows


def timed(rows: CheckedRows, *, required: bool, day_first: bool | None = None) -> tuple[CheckedRows, Times]:
    """``with_times``, and how the times were read."""
    rows = rows.with_columns(timestamp=filled("timestamp").str.strip_chars())
    if required:
        rows = rows.without(pl.col("timestamp").is_null(), "timestamp", "empty timestamp")
    where = f"{rows.file}, column {rows.names.get('timestamp', 'timestamp')}"
    times = read_times(rows.frame["timestamp"], day_first=day_first, where=where)
    rows = rows.with_columns(**{_TIME: times.numbers})
    faulty = pl.col("timestamp").is_not_null() & pl.col(_TIME).is_null()
    rows = rows.without(faulty, "timestamp", "not a time")
    frame = rows.frame.with_columns(timestamp=pl.col(_TIME)).drop(_TIME)
    return replace(rows, frame=frame), times


def require_rows(rows: CheckedRows, what: str, where: str) -> None:
    """Raise ``DataError`` where nothing is left of ``rows``, with the reasons of the first rejections."""
    if rows.frame.height:
        return
    reasons = list(dict.fromkeys(rejection.reason for rejection in rows.rejections))
    why = f": {', '.join(reasons[:3])}" if reasons else " in the file"
    raise DataError(f"not one {what} is left{why}", where=where, hint="look at the file and at the options")
