"""Which interactions are for training, validation and test: as the log says, by time or at random, and so in words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, get_args

import numpy as np
import polars as pl

from viral.base.errors import DataError, UsageError, nearest
from viral.data.importers.rows import CheckedRows
from viral.data.split_rules import TEST, VALID, global_split, held_out, parts_by_rank, random_split, temporal_split

SplitRule = Literal["random", "temporal", "global", "column", "none"]
TIMED = ("temporal", "global")  # rules that need a time in every row
BY_TIME = (  # what ``temporal_split`` does, in words
    "in time order per user: the last for test, those before for validation (of 3 to 9 interactions one each, of more "
    "about a tenth each); not one cut in time for all users"
)
NOTHING_HELD_OUT = "none: every interaction is for training, nothing is held out"
CUTS = (0.8, 0.9)  # of the log in time order: where validation begins, and where the test
NO_HISTORY = "no earlier interaction of the user"
_SPELLINGS = {"train": "train", "valid": "valid", "val": "valid", "validation": "valid", "test": "test"}
_RANK = "#rank"


def split_rule(rule: str | None, *, has_column: bool) -> SplitRule:
    """The rule by its name; without one, a split column is obeyed and a log without one is split at random."""
    if rule is None:
        return "column" if has_column else "random"
    for known in get_args(SplitRule):
        if rule == known:
            return known
    raise UsageError(f"unknown split {rule!r}", hint=nearest(rule, get_args(SplitRule)))


@dataclass(frozen=True, slots=True)
class SplitLog:
    """A log with its ``split`` column, in words how it was made, and what another log has to be split by alike."""

    interactions: pl.DataFrame
    told: str
    options: Mapping[str, Any] = field(default_factory=dict)


def split_log(
    pairs: CheckedRows, interactions: pl.DataFrame, rule: SplitRule, seed: int
) -> tuple[CheckedRows, SplitLog]:
    """Split ``interactions``, which are those of ``pairs`` or their k-core, by a rule.

    The pairs come back without the rows that the rule leaves out, which are named.
    """
    if rule == "global":
        return _at_two_dates(pairs, interactions)
    if rule == "column":
        return pairs, SplitLog(interactions, as_given(interactions, "as the log says"))
    if rule == "none":
        return pairs, SplitLog(interactions.with_columns(split=pl.lit("train")), NOTHING_HELD_OUT)
    if rule == "temporal":
        return pairs, SplitLog(temporal_split(interactions), BY_TIME)
    options = {"times": "timestamp" in interactions.columns}
    return pairs, SplitLog(random_split(interactions, seed=seed), at_random(seed), options)


def offered(manifest: Mapping[str, Any]) -> str:
    """Which other splits the log would allow, in words: where it was split at random, but has times."""
    source = manifest["source"]
    if source["layout"] != "table" or not source["options"].get("times"):
        return ""
    return "; the log has times: --split temporal holds out each user's latest, --split global cuts at two dates"


def _at_two_dates(pairs: CheckedRows, interactions: pl.DataFrame) -> tuple[CheckedRows, SplitLog]:
    times = interactions["timestamp"].sort()
    first, second = (times[min(int(share * len(times)), len(times) - 1)] for share in CUTS)
    cut = global_split(interactions, (first, second))
    if cut["split"].n_unique() < len(CUTS) + 1:
        hint = "--split temporal, which orders each user's own, or --split random"
        raise DataError(
            "too many interactions are of one time to cut the log at two", where="--split global", hint=hint
        )
    early = cut.filter(pl.col("split") == "train")["user_id"].unique()
    without_history = cut.filter(~pl.col("user_id").is_in(early.implode()))
    gone = without_history.select(pl.struct(user="user_id", item="item_id")).to_series()
    users = without_history["user_id"].n_unique()
    told = f"cut in time for all users: validation from {_date(first)} on, test from {_date(second)} on"
    if users:
        told += f"; left out: {without_history.height:,} interactions of {users:,} users who have none before"
    kept = cut.filter(pl.col("user_id").is_in(early.implode()))
    left = pairs.without(pl.struct("user", "item").is_in(gone.implode()), "user", NO_HISTORY)
    return left, SplitLog(kept, told, {"cuts": [first, second]})


def _date(time: float) -> str:
    """A time as a date, where it is one of our days; else the number."""
    seconds = next((time / unit for unit in (1, 1e3, 1e6, 1e9) if 1e8 <= time / unit < 1e11), None)
    if seconds is None:
        return f"{time:g}"
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="minutes").removesuffix("+00:00").replace("T", " ")


def rule_of(manifest: Mapping[str, Any]) -> SplitRule:
    """The rule by which a data set was split."""
    source = manifest.get("source", {})
    rule = source.get("options", {}).get("split")
    if rule in get_args(SplitRule):
        return split_rule(rule, has_column=True)
    return "random" if str(source.get("split", "")).startswith("random") else "column"


def new_parts(
    old: pl.DataFrame, new: pl.DataFrame, rule: SplitRule, options: Mapping[str, Any]
) -> tuple[pl.DataFrame, str]:
    """The rows ``new`` with a ``split`` column by the rule of the rows ``old``, which keep theirs; and that in words.

    By ``random`` and ``temporal`` a user's old and new rows together hold out as many as the rule holds out of so
    many: what lacks is taken out of the new rows, at random, or the latest.
    """
    if rule == "none":
        return new.with_columns(split=pl.lit("train")), "new interactions are for training"
    if rule in TIMED and ("timestamp" not in new.columns or new["timestamp"].has_nulls()):
        what = f"the data set is split by time ({rule}), and new interactions have none"
        raise DataError(what, hint="give the log a column of times, or --split none to train on all that is new")
    if rule == "column":
        if "split" in new.columns:
            return new, "new interactions as their column says"
        what = "the data set is split by a column, and the new log has none"
        raise DataError(what, hint="add a column split, or --split none to train on all that is new")
    if rule == "global":
        first, second = options["cuts"]
        return global_split(new, (first, second)), "by the two dates of the first import; old interactions stay"
    order = _shuffled(new, int(options.get("seed", 0)), old.height) if rule == "random" else _latest_first(new)
    told = "at random" if rule == "random" else "the latest"
    words = f"of each user's new interactions as many held out, {told}, as the rule asks of all of theirs"
    return _topped_up(old, new.with_columns(order)), f"{words}; old interactions stay"


def _shuffled(new: pl.DataFrame, seed: int, old: int) -> pl.Series:
    """A random order of the rows, whatever their order in the file."""
    places = new.with_row_index("#place").sort("user_id", "item_id")["#place"]
    drawn = np.random.default_rng([seed, old]).permutation(new.height)
    return pl.DataFrame({"#place": places, _RANK: drawn}).sort("#place")[_RANK]


def _latest_first(new: pl.DataFrame) -> pl.Series:
    return new["timestamp"].rank("ordinal", descending=True).alias(_RANK)


def _topped_up(old: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    """The new rows split, a user's lowest ranks to test and then to validation, so many as the rule lacks."""
    counts = old.group_by("user_id").agg(
        pl.len().alias("#old"), *((pl.col("split") == name).sum().alias(f"#{name}") for name in ("valid", "test"))
    )
    all_valid, all_test = held_out(pl.len().over("user_id") + pl.col("#old"))
    valid, test = (
        (n - pl.col(name).cast(pl.Int64)).clip(0) for n, name in ((all_valid, "#valid"), (all_test, "#test"))
    )
    part = parts_by_rank(pl.col(_RANK).rank("ordinal").over("user_id"), (TEST, test), (VALID, valid))
    joined = new.join(counts, on="user_id", how="left", maintain_order="left")
    joined = joined.with_columns(pl.col("#old", "#valid", "#test").fill_null(0).cast(pl.Int64))
    return joined.with_columns(split=part).select(
        *(name for name in new.columns if name not in ("split", _RANK)), "split"
    )


def spelt_split(name: str) -> str | None:
    """A part of a split spelt our way; None for what is none."""
    return _SPELLINGS.get(name.strip().lower())


def with_known_splits(rows: CheckedRows) -> CheckedRows:
    """Spell the ``split`` column our way (``val`` and ``validation`` are ``valid``); leave out unknown splits."""
    spelt = pl.col("split").str.strip_chars().str.to_lowercase().replace_strict(_SPELLINGS, default=None)
    rows = rows.without(spelt.is_null(), "split", "unknown split")
    return rows.with_columns(split=spelt)


def at_random(seed: int) -> str:
    """What ``viral.data.split_rules.random_split`` does, in words."""
    return f"random 80/10/10 per user (seed {seed})"


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
