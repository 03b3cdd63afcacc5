"""The log's ids beside those of the items: what does not meet is said with its cause, and repaired where asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from viral.base.errors import DataError
from viral.base.progress import say
from viral.data.importers.choosing import HALF, Chosen, share
from viral.data.importers.meeting import Meeting, meeting, repaired
from viral.data.importers.reading import read_columns
from viral.data.importers.rows import Rows
from viral.data.importers.wishes import Wishes

_REPAIR = "--repair-ids writes them as the item table has them"
_LOOK = "look at both columns; others are named with --column item=NAME_IN_LOG,NAME_IN_TABLE"


@dataclass(frozen=True, slots=True)
class Sides:
    """The two files whose ids should meet."""

    logs: Sequence[Chosen]
    table: Chosen | None  # None where the items are those of a data set alone


def join_ids(log: Rows, items: pl.Series, sides: Sides, wishes: Wishes) -> tuple[Rows, dict[str, Any]]:
    """The log with its ids repaired where that was asked for, and what was found, for the manifest.

    Raises ``DataError`` where not one of them is an item's, though there is a table of items, and where a repair could
    mean several.
    """
    found = meeting(log, items)
    if not found.unknown or (sides.table is None and not found.repairs):
        return log, {}
    told = {"unknown_rows": found.unknown_rows, "unknown_ids": len(found.unknown), "cause": found.cause}
    if wishes.repair_ids and (found.repairs or found.unclear):
        log = repaired(log, found)
        say(f"ids: {_rows(found.repaired_rows)} repaired, {found.cause}: {found.told_repairs()}")
        left = found.unknown_rows - found.repaired_rows
        if left and sides.table is not None:
            what = "1 more row names an item" if left == 1 else f"{left:,} more rows name items"
            say(f"ids: {what} that the item table does not have: left out")
        return log, {**told, "repaired_rows": found.repaired_rows}
    why, hint = _why(found, items, sides, wishes)
    if found.unknown_rows == found.rows and sides.table is not None:
        raise DataError(f"not one interaction is left: unknown item; {why}", where=log.file, hint=hint)
    fate = "are left out: they name" if sides.table is not None else "name"
    lacking = "1 item" if len(found.unknown) == 1 else f"{len(found.unknown):,} items"
    whose = "the item table" if sides.table is not None else "the data set"
    text = f"ids: {found.unknown_rows:,} of {_rows(found.rows)} of the log {fate} {lacking} that {whose} does not have"
    say(f"{text}; {why}" + (f"\n  → {hint}" if hint != _LOOK else ""))
    return log, told


def _why(found: Meeting, items: pl.Series, sides: Sides, wishes: Wishes) -> tuple[str, str]:
    """Examples of both sides with the likely cause, and what to do."""
    if found.repairs or found.unclear:
        return found.told(), _REPAIR if found.repairs and not found.unclear else _LOOK
    other = _other_column(found, items, sides, wishes) if 2 * found.unknown_rows > found.rows else None
    if other is None:
        return found.told(), _LOOK
    file, column, words = other
    return (
        f"{found.told()}; the ids of the other side are in column {column!r} of {file}",
        f"take it with --column item={words}",
    )


def _other_column(found: Meeting, items: pl.Series, sides: Sides, wishes: Wishes) -> tuple[str, str, str] | None:
    """Another column of one of the files in which the other side's ids are: its file, its name, words to take it."""
    table, log = sides.table, sides.logs[0]
    if table is None:
        return None
    ids = pl.Series(found.unknown, dtype=pl.String)
    tried = []
    for chosen in (table, log):
        columns = read_columns(chosen.path, chosen.unused(), wishes.encoding)
        for name in columns.columns:
            values = columns[name].drop_nulls()
            both = (ids, values) if chosen is table else (values, items)
            words = (log.columns["item"], name) if chosen is table else (name, table.columns["item"])
            tried.append((share(*both), chosen.path.name, name, ",".join(words)))
    best = max(tried, default=(0.0, "", "", ""), key=lambda one: one[0])
    return best[1:] if best[0] >= HALF else None


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"
