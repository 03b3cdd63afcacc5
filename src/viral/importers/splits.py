"""Which interactions are for training, validation and test: as the log says, by time or at random, and so in words."""

from typing import Literal, get_args

import polars as pl

from viral.errors import UsageError, nearest
from viral.importers.rows import Rows

SplitRule = Literal["random", "temporal", "column"]
BY_TIME = (  # what ``temporal_split`` does, in words
    "in time order per user: the last for test, those before for validation (of 3 to 9 interactions one each, of more "
    "about a tenth each); not one cut in time for all users"
)
_SPELLINGS = {"train": "train", "valid": "valid", "val": "valid", "validation": "valid", "test": "test"}


def split_rule(rule: str | None, *, has_column: bool) -> SplitRule:
    """The rule by its name; without one, a split column is obeyed and a log without one is split at random."""
    if rule is None:
        return "column" if has_column else "random"
    for known in get_args(SplitRule):
        if rule == known:
            return known
    raise UsageError(f"unknown split {rule!r}", hint=nearest(rule, get_args(SplitRule)))


def with_known_splits(rows: Rows) -> Rows:
    """Spell the ``split`` column our way (``val`` and ``validation`` are ``valid``); leave out unknown splits."""
    spelt = pl.col("split").str.strip_chars().str.to_lowercase().replace_strict(_SPELLINGS, default=None)
    rows = rows.without(spelt.is_null(), "split", "unknown split")
    return rows.with_columns(split=spelt)


def temporal_split(interactions: pl.DataFrame) -> pl.DataFrame:
    """Add a ``split`` column by time within each user: the last for test, those before for validation.

    As many as in ``viral.data.random_split``: of n interactions, n < 3, all train; 3 ≤ n < 10, one valid and one test;
    n ≥ 10, int(n/5) held out, half of them (rounded down) valid. Of equal times, the later row is the later one.
    """
    n = pl.len().over("user_id")
    from_last = pl.int_range(pl.len(), 0, -1).over("user_id")  # the last of n is 1, the first is n
    held_out = pl.when(n < 3).then(0).when(n < 10).then(2).otherwise(n // 5)
    part = (
        pl.when(from_last <= held_out - held_out // 2)
        .then(pl.lit("test"))
        .when(from_last <= held_out)
        .then(pl.lit("valid"))
        .otherwise(pl.lit("train"))
    )
    ordered = interactions.with_row_index("#place").sort("timestamp", maintain_order=True)
    return ordered.with_columns(split=part).sort("#place").drop("#place")


def at_random(seed: int) -> str:
    """What ``viral.data.random_split`` does, in words."""
    return f"random within each user (seed {seed})"


def as_given(interactions: pl.DataFrame, whose: str) -> str:
    """A split that came with the log (``whose``: "published"), in words: whether it follows time, and how far."""
    ordered = in_time_order(interactions)
    if ordered is None:
        return f"{whose}; the log does not tell whether it is in time order"
    if not ordered:
        return f"{whose}, not in time order"
    last = ": the last interaction for test, the one before for validation" if leaves_one_out(interactions) else ""
    return f"{whose}, in time order per user{last}"


def in_time_order(interactions: pl.DataFrame) -> bool | None:
    """Whether every user's training is before their validation, and that before their test (or at the same time).

    None where that cannot be told: an interaction without a time, or nothing held out.
    """
    held_out = interactions.filter(pl.col("split") != "train")
    if "timestamp" not in interactions.columns or interactions["timestamp"].has_nulls() or not held_out.height:
        return None
    time, part = pl.col("timestamp"), pl.col("split")
    ends = interactions.group_by("user_id").agg(
        *(time.filter(part == name).min().alias(f"{name} first") for name in ("valid", "test")),
        *(time.filter(part == name).max().alias(f"{name} last") for name in ("train", "valid")),
    )
    pairs = (("train", "valid"), ("train", "test"), ("valid", "test"))
    late = pl.any_horizontal(pl.col(f"{one} last") > pl.col(f"{two} first") for one, two in pairs)
    return not ends.select(late.fill_null(value=False).any()).item()


def leaves_one_out(interactions: pl.DataFrame) -> bool:
    """Whether no user has more than one interaction for validation, or for test."""
    held_out = interactions.filter(pl.col("split") != "train")
    return not held_out.select(pl.struct("user_id", "split").is_duplicated().any()).item()
