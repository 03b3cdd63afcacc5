"""Rows of text on their way in: each keeps its number in the file, and each that is left out is named."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import polars as pl

from viral.dataset import Rejection
from viral.errors import DataError
from viral.importers.raw import ROW, printable

_TIME = "#time"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one file that are still good, and those that were left out with the reason."""

    file: str
    frame: pl.DataFrame  # our column names, all text, and ROW
    names: Mapping[str, str] = field(default_factory=dict)  # our column name -> the file's
    rejections: tuple[Rejection, ...] = ()
    present: Sequence[str] = ()  # every column of the file

    def without(self, bad: pl.Expr, column: str, reason: str) -> "Rows":
        """The rows for which ``bad`` does not hold; the others are rejected, with their value of ``column``."""
        mask = self.frame.select(bad.fill_null(value=False)).to_series()
        if not mask.any():
            return self
        faults = tuple(
            Rejection(self.file, row, self.names.get(column, column), reason, printable(value))
            for row, value in self.frame.filter(mask).select(ROW, column).iter_rows()
        )
        return replace(self, frame=self.frame.filter(~mask), rejections=self.rejections + faults)

    def only(self, wanted: pl.Expr) -> "Rows":
        """The rows for which ``wanted`` holds; the others are not faulty, only not asked for."""
        return replace(self, frame=self.frame.filter(wanted))

    def with_columns(self, **columns: pl.Expr | pl.Series) -> "Rows":
        """The same rows with columns added or replaced."""
        return replace(self, frame=self.frame.with_columns(**columns))

    def has(self, column: str) -> bool:
        return column in self.frame.columns


def with_ids(rows: Rows, *columns: str) -> Rows:
    """Leave out rows whose id is empty or only blanks; other ids stay exactly as written."""
    for column in columns:
        blank = pl.col(column).is_null() | (pl.col(column).str.strip_chars() == "")
        rows = rows.without(blank, column, f"empty {column} id")
    return rows


def with_known_items(rows: Rows, item_ids: pl.Series) -> Rows:
    """Leave out rows whose ``item`` is none of ``item_ids``."""
    return rows.without(~pl.col("item").is_in(item_ids.implode()), "item", "unknown item")


def with_one_row_per_item(rows: Rows) -> Rows:
    """Keep the first row of every ``item``."""
    return rows.without(~pl.col("item").is_first_distinct(), "item", "duplicate item")


def with_one_row_per_pair(rows: Rows) -> Rows:
    """Keep one row of every (user, item): the earliest where there is a ``timestamp``, else the first."""
    frame = rows.frame
    if rows.has("timestamp"):
        frame = frame.sort("timestamp", nulls_last=True, maintain_order=True)
    kept = frame.unique(["user", "item"], keep="first", maintain_order=True)[ROW]
    return rows.without(~pl.col(ROW).is_in(kept.implode()), "item", "duplicate pair")


def with_numbers(rows: Rows, column: str) -> Rows:
    """Turn a text column into float64; rows without a finite number are left out."""
    number = pl.col(column).str.strip_chars().cast(pl.Float64, strict=False)
    rows = rows.without(~number.is_finite().fill_null(value=False), column, "not a number")
    return rows.with_columns(**{column: number})


def with_times(rows: Rows, *, required: bool) -> Rows:
    """Turn ``timestamp`` into numbers: those given as numbers as they are, dates (ISO 8601) as seconds since 1970.

    Rows with something else are left out; rows with nothing too, where ``required``. Whole numbers give int64.
    """
    text = pl.col("timestamp").str.strip_chars()
    rows = rows.with_columns(timestamp=pl.when(text != "").then(text))
    if required:
        rows = rows.without(pl.col("timestamp").is_null(), "timestamp", "empty timestamp")
    written = rows.frame["timestamp"]
    odd = written.filter(written.is_not_null() & written.cast(pl.Float64, strict=False).is_null()).unique()
    seconds = pl.Series([_seconds(date) for date in odd.to_list()], dtype=pl.String)
    rows = rows.with_columns(**{_TIME: written.replace(odd, seconds)})
    number = pl.col(_TIME).cast(pl.Float64, strict=False)
    faulty = pl.col("timestamp").is_not_null() & ~number.is_finite().fill_null(value=False)
    rows = rows.without(faulty, "timestamp", "not a time")
    # By way of int64 where that loses nothing: nanoseconds have more digits than a float64.
    whole = rows.frame[_TIME].cast(pl.Int64, strict=False)
    exact = whole.null_count() == rows.frame[_TIME].null_count()
    frame = rows.frame.with_columns(timestamp=whole if exact else number).drop(_TIME)
    return replace(rows, frame=frame)


def _seconds(date: str) -> str | None:
    try:
        moment = datetime.fromisoformat(date)
    except ValueError:
        return None
    seconds = ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH).total_seconds()
    return str(int(seconds)) if seconds.is_integer() else repr(seconds)


def require_rows(rows: Rows, what: str, where: str) -> None:
    """Raise ``DataError`` where nothing is left of ``rows``, with the reasons of the first rejections."""
    if rows.frame.height:
        return
    reasons = list(dict.fromkeys(rejection.reason for rejection in rows.rejections))
    why = f": {', '.join(reasons[:3])}" if reasons else " in the file"
    raise DataError(f"not one {what} is left{why}", where=where, hint="look at the file and at the options")
