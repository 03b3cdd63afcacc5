"""The interactions under examination: ids, pairs, and what the split leaves to learn from and to rank for."""

from collections.abc import Iterator

import polars as pl

from viral.data.catalog import ITEMS_FILE
from viral.data.dataset import INTERACTIONS_FILE, SPLITS
from viral.data.doctor.reading import BLANKS, with_blanks
from viral.data.doctor.report import Finding, Severity, places
from viral.data.preconditions import LACKS, NO_NEGATIVE

_PAIR = ("user_id", "item_id")


def check_log(log: pl.DataFrame, items: pl.DataFrame) -> Iterator[Finding]:
    """Findings that need no split."""
    if not log.height:
        hint = "import the data set again"
        yield Finding("error", "no interaction", 1, "the log has no interaction", (INTERACTIONS_FILE,), hint)
    for name in _PAIR:
        empty = log.filter(pl.col(name).is_null() | (pl.col(name).str.strip_chars() == ""))
        yield _finding("error", f"empty {name.replace('_', ' ')}", empty, name, "rows have an empty id", _DROP)
        blank = log.filter(with_blanks(name))
        message = f"{name.split('_')[0]} ids begin or end with a blank"
        yield _finding("warning", BLANKS, blank, name, message, "cut them in both tables")
    unknown = log.filter(~pl.col("item_id").is_in(items["item_id"].drop_nulls().implode()))
    message = "rows name an item that is not in the catalogue"
    yield _finding("error", "unknown item", unknown, "item_id", message, f"add the items, or {_DROP}")
    again = log.filter(~pl.struct(_PAIR).is_first_distinct())
    message = "rows repeat a (user, item) pair; each pair counts once"
    yield _finding("warning", "duplicate pair", again, "user_id", message, "keep one row of each pair")
    once = log.filter(pl.len().over("user_id") == 1)
    message = "users have one interaction: nothing can be held out of it"
    yield _finding(
        "note", "user with one interaction", once, "user_id", message, "filter with --core if there are many"
    )


def check_split(log: pl.DataFrame, items: pl.DataFrame) -> Iterator[Finding]:
    """Findings on the split as it is stored; a log without one is split at random when it is trained on."""
    if "split" not in log.columns:
        yield from _check_negatives(log)
        return
    unknown = log.filter(pl.col("split").is_null() | ~pl.col("split").is_in(SPLITS))
    hint = "correct the column, or drop it to have the log split at random"
    yield _finding("error", "unknown split", unknown, "split", f"rows are in none of {', '.join(SPLITS)}", hint)
    leaking = log.filter((pl.col("split").n_unique().over(_PAIR) > 1) & ~pl.struct(_PAIR).is_first_distinct())
    message = "(user, item) pairs are in two splits: a held-out pair is known to training"
    yield _finding("error", "leaking split", leaking, "user_id", message, "keep each pair in one split")
    train = log.filter(pl.col("split") == "train")
    yield from _check_parts(log, train)
    yield from _check_cold(log, train, items)


def _check_parts(log: pl.DataFrame, train: pl.DataFrame) -> Iterator[Finding]:
    if log.height and not train.height:
        hint = "correct the split column, or drop it to have the log split at random"
        yield Finding("error", "no training interaction", 1, LACKS["train"], (INTERACTIONS_FILE,), hint)
    for name, hint in _WITHOUT.items():
        if log.height and not (log["split"] == name).any():
            yield Finding("warning", f"empty {name} split", 1, LACKS[name], (INTERACTIONS_FILE,), hint)
    yield from _check_negatives(train)


def _check_cold(log: pl.DataFrame, train: pl.DataFrame, items: pl.DataFrame) -> Iterator[Finding]:
    held_out = log.filter(pl.col("split").is_in(["valid", "test"]))
    users = held_out.join(train, on="user_id", how="anti").unique("user_id", keep="first", maintain_order=True)
    message = "users are in valid or test, but not in train: no model can know their preferences"
    yield _finding("warning", "user without training", users, "user_id", message, "move some of their rows to train")
    cold = items.join(train, on="item_id", how="anti")
    message = "items are never in train (cold): they are ranked by their features alone"
    yield Finding("note", "cold item", cold.height, message, places(cold, ITEMS_FILE, "item_id"))


def _check_negatives(train: pl.DataFrame) -> Iterator[Finding]:
    """Training contrasts an item of a user's history with one that is not in it: some user must have left one out."""
    distinct = train.group_by("user_id").agg(pl.col("item_id").n_unique())["item_id"]
    if train.height and (distinct == train["item_id"].n_unique()).all():
        yield Finding("error", "no negative", 1, NO_NEGATIVE, (INTERACTIONS_FILE,), "the log needs more items")


_WITHOUT = {
    "valid": "`viral train` takes a fixed number of epochs then, or those of another run (--production --from RUN); "
    "`viral compare`, `tune` and `ablate` need a validation part",
    "test": "`viral train` leaves a run without test metrics then; `viral evaluate`, `compare` and `ablate` need a "
    "test part",
}
_DROP = "drop these rows"


def _finding(severity: Severity, check: str, rows: pl.DataFrame, column: str, message: str, hint: str) -> Finding:
    return Finding(severity, check, rows.height, message, places(rows, INTERACTIONS_FILE, column), hint)
