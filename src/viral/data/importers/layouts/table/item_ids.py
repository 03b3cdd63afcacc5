"""The log's ids beside those of the items: what does not meet is said with its cause, and repaired where asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from viral.base.errors import DataError
from viral.base.progress import say
from viral.data.importers.columns.choosing import HALF, Chosen, UserOptions, share
from viral.data.importers.readers.formats import read_columns
from viral.data.importers.readers.raw import printable
from viral.data.importers.rows import CheckedRows

_EXAMPLES = 3
_REPAIR = "--repair-ids writes them as the item table has them"
_LOOK = "look at both columns; others are named with --column item=NAME_IN_LOG,NAME_IN_TABLE"


@dataclass(frozen=True, slots=True)
class IdMatch:
    """How the ids of a log match those of an item table."""

    rows: int  # of the log
    unknown_rows: int
    unknown: Sequence[str]  # ids of the log that the table does not have
    examples: tuple[Sequence[str], Sequence[str]]  # of the log and of the table
    cause: str = ""
    repairs: Mapping[str, str] = field(default_factory=dict)  # id in the log -> the one of the table that it must mean
    unclear: Mapping[str, Sequence[str]] = field(default_factory=dict)  # id in the log -> several that it could mean
    repaired_rows: int = 0  # rows that the repairs would bring back

    def told(self) -> str:
        """The examples of both sides, and why they differ, in words."""
        log, table = (", ".join(repr(printable(value)) for value in values) for values in self.examples)
        text = f"the log has {log}; the item table has {table}"
        if self.repairs:
            text += f"; {self.cause}: {self.repaired_rows:,} of these {self.unknown_rows:,} rows would meet"
        return f"{text}; {self.cause}, but {self.told_unclear()}" if self.unclear else text

    def told_unclear(self) -> str:
        """How many ids could mean several items, with one of them."""
        one, several = next(iter(self.unclear.items()))
        meant = " or ".join(repr(printable(value)) for value in several[:_EXAMPLES])
        return f"{len(self.unclear):,} of the log's ids could mean several items: {printable(one)!r} is {meant}"


def join_ids(
    log: CheckedRows, items: pl.Series, logs: Sequence[Chosen], table: Chosen | None, user_options: UserOptions
) -> tuple[CheckedRows, dict[str, Any]]:
    """The log with its ids repaired where that was asked for, and what was found, for the manifest.

    ``table`` is None where the items are those of a data set alone. Raises ``DataError`` where not one id is an item's,
    though there is a table of items, and where a repair could mean several.
    """
    found = match_ids(log, items)
    if not found.unknown or (table is None and not found.repairs):
        return log, {}
    told = {"unknown_rows": found.unknown_rows, "unknown_ids": len(found.unknown), "cause": found.cause}
    if user_options.repair_ids and (found.repairs or found.unclear):
        log = _repaired(log, found)
        left = found.unknown_rows - found.repaired_rows
        if left and table is not None:
            what = "1 more row names an item" if left == 1 else f"{left:,} more rows name items"
            say(f"ids: {what} that the item table does not have: left out")
        return log, {**told, "repaired_rows": found.repaired_rows}
    why, hint = _why(found, items, logs[0], table, user_options)
    if found.unknown_rows == found.rows and table is not None:
        raise DataError(f"not one interaction is left: unknown item; {why}", where=log.file, hint=hint)
    fate, whose = ("are left out: they name", "item table") if table is not None else ("name", "data set")
    lacking = "1 item" if len(found.unknown) == 1 else f"{len(found.unknown):,} items"
    text = (
        f"ids: {found.unknown_rows:,} of {_rows(found.rows)} of the log {fate} {lacking} that the {whose} does not have"
    )
    say(f"{text}; {why}" + (f"\n  → {hint}" if hint != _LOOK else ""))
    return log, told


def match_ids(log: CheckedRows, known: pl.Series) -> IdMatch:
    """Compare the ids of a log with those that are known, in every spelling that a table program makes of one."""
    counts = log.frame.group_by("item").len()
    unknown = counts.filter(~pl.col("item").is_in(known.implode())).sort("len", "item", descending=[True, False])
    ids = unknown["item"].to_list()
    others = pl.Series(known.unique(maintain_order=True).head(_EXAMPLES)).to_list()
    found = IdMatch(log.frame.height, int(unknown["len"].sum()), ids, (ids[:_EXAMPLES], others))
    if not ids:
        return found
    tried = [_by(found, unknown, known, cause) for cause in _SPELLINGS]
    best = max(tried, key=lambda one: (one.repaired_rows, -len(one.unclear)))
    if not best.repairs:
        best = max(tried, key=lambda one: len(one.unclear))
    return best if best.repairs or best.unclear else found


def _by(found: IdMatch, unknown: pl.DataFrame, known: pl.Series, cause: str) -> IdMatch:
    """What the unknown ids mean if both sides are spelt alike."""
    spelling, examples = _SPELLINGS[cause], found.examples
    table = known.unique().to_frame("known").with_columns(spelling(pl.col("known")).alias("same"))
    table = table.group_by("same").agg(pl.col("known").sort())
    both = unknown.with_columns(spelling(pl.col("item")).alias("same")).join(table, on="same", maintain_order="left")
    one = both.filter(pl.col("known").list.len() == 1)
    several = both.filter(pl.col("known").list.len() > 1)
    repairs = dict(zip(one["item"].to_list(), one["known"].list.first().to_list(), strict=True))
    if repairs:
        shown = list(repairs.items())[:_EXAMPLES]
        examples = ([theirs for theirs, _ in shown], [ours for _, ours in shown])
    unclear = dict(zip(several["item"].to_list(), several["known"].to_list(), strict=True))
    rows = int(one["len"].sum())
    return replace(found, examples=examples, cause=cause, repairs=repairs, unclear=unclear, repaired_rows=rows)


def _repaired(log: CheckedRows, found: IdMatch) -> CheckedRows:
    """The log with the ids that it must mean; ``DataError`` where one could mean several."""
    if found.unclear:
        what, hint = f"the ids are not repaired: {found.told_unclear()}", "mend the ids where the log comes from"
        raise DataError(what, where=log.file, hint=f"{hint}; nothing was written")
    old, new = list(found.repairs), list(found.repairs.values())
    pairs = (f"{printable(one)!r} is {printable(other)!r}" for one, other in zip(old[:_EXAMPLES], new, strict=False))
    say(f"ids: {_rows(found.repaired_rows)} repaired, {found.cause}: {', '.join(pairs)}")
    return log.with_columns(item=pl.col("item").replace(old, new))


def _without_zeros(text: pl.Expr) -> pl.Expr:
    return text.str.replace(r"^0+(\d)", "$1")


def _without_point(text: pl.Expr) -> pl.Expr:
    return text.str.replace(r"^(\d+)\.0+$", "$1")


def _letters_alone(text: pl.Expr) -> pl.Expr:
    return text.str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]", "")


def _tail(text: pl.Expr) -> pl.Expr:
    """The last part of what looks like a path or an address: ``gid://shopify/Product/123``."""
    return text.str.replace(r"^.*[/:#]", "")


_SPELLINGS = {  # the cause in words -> what makes both sides alike
    "capital and small letters differ": lambda text: text.str.to_lowercase(),
    "leading zeros are lost on one side": _without_zeros,
    "one side's are numbers with a point (10.0 for 10)": _without_point,
    "leading zeros are lost, and numbers have a point": lambda text: _without_zeros(_without_point(text)),
    "blanks, hyphens or other marks differ": _letters_alone,
    "one side's stand at the end of a path or behind a prefix": _tail,
    "zeros, points, letters and marks differ": lambda text: _letters_alone(_without_zeros(_without_point(text))),
}


def _why(
    found: IdMatch, items: pl.Series, log: Chosen, table: Chosen | None, user_options: UserOptions
) -> tuple[str, str]:
    """Examples of both sides with the likely cause, and what to do."""
    if found.repairs or found.unclear:
        return found.told(), _REPAIR if found.repairs and not found.unclear else _LOOK
    other = (
        _other_column(found, items, log, table, user_options) if table and 2 * found.unknown_rows > found.rows else None
    )
    if other is None:
        return found.told(), _LOOK
    place, words = other
    return f"{found.told()}; the ids of the other side are in {place}", f"take it with --column item={words}"


def _other_column(
    found: IdMatch, items: pl.Series, log: Chosen, table: Chosen, user_options: UserOptions
) -> tuple[str, str] | None:
    """Another column of one of the files in which the other side's ids are, and the words to take it."""
    ids, tried = pl.Series(found.unknown, dtype=pl.String), []
    for chosen in (table, log):
        columns = read_columns(chosen.path, chosen.unused(), user_options.encoding)
        for name in columns.columns:
            values = columns[name].drop_nulls()
            both = (ids, values) if chosen is table else (values, items)
            words = (log.columns["item"], name) if chosen is table else (name, table.columns["item"])
            tried.append((share(*both), f"column {name!r} of {chosen.path.name}", ",".join(words)))
    best = max(tried, default=(0.0, "", ""), key=lambda one: one[0])
    return best[1:] if best[0] >= HALF else None


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"
