"""The rules by which a log gets its ``split`` column: at random or by time within each user, or at two dates for all.

Of a user's n interactions are held out: none of n < 3, one for validation and one for test of 3 ≤ n < 10, and int(n/5)
of n ≥ 10, half of them (rounded down) for validation. It is the rule of the published benchmark (MMRec).
"""

import numpy as np
import polars as pl

VALID, TEST = pl.lit("valid"), pl.lit("test")


def held_out(n: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """How many of a user's ``n`` interactions are for validation and for test."""
    both = pl.when(n < 3).then(0).when(n < 10).then(2).otherwise(n // 5)
    return both // 2, both - both // 2


def parts_by_rank(rank: pl.Expr, *counts: tuple[pl.Expr, pl.Expr]) -> pl.Expr:
    """The part of each row by its rank within its user, from 1: (part, how many) in turn, and all others train."""
    (first, some), (second, more) = counts
    return pl.when(rank <= some).then(first).when(rank <= some + more).then(second).otherwise(pl.lit("train"))


def random_split(interactions: pl.DataFrame, *, seed: int) -> pl.DataFrame:
    """Add a ``split`` column, about 8:1:1 within each user. The same seed and rows give the same split."""
    order = pl.Series("_order", np.random.default_rng(seed).permutation(interactions.height))
    valid, test = held_out(pl.len().over("user_id"))
    part = parts_by_rank(pl.col("_order").rank("ordinal").over("user_id"), (VALID, valid), (TEST, test))
    return interactions.with_columns(order).with_columns(split=part).drop("_order")


def temporal_split(interactions: pl.DataFrame) -> pl.DataFrame:
    """Add a ``split`` column by time within each user: the last for test, those before for validation.

    Of equal times, the later row is the later one.
    """
    valid, test = held_out(pl.len().over("user_id"))
    from_last = pl.int_range(pl.len(), 0, -1).over("user_id")  # the last of n is 1, the first is n
    part = parts_by_rank(from_last, (TEST, test), (VALID, valid))
    ordered = interactions.with_row_index("#place").sort("timestamp", maintain_order=True)
    return ordered.with_columns(split=part).sort("#place").drop("#place")


def global_split(interactions: pl.DataFrame, cuts: tuple[float, float]) -> pl.DataFrame:
    """Add a ``split`` column by two times for all users: what is before both is train, after both test."""
    valid, test = (pl.col("timestamp") >= cut for cut in cuts)
    return interactions.with_columns(split=pl.when(test).then(TEST).when(valid).then(VALID).otherwise(pl.lit("train")))


def with_split(interactions: pl.DataFrame, *, seed: int = 0) -> pl.DataFrame:
    """A log with the ``split`` column that it is trained by: its own as text, else that of ``random_split(seed)``."""
    if "split" in interactions.columns:
        return interactions.with_columns(pl.col("split").cast(pl.String))
    # A pair that is there twice would be in two parts.
    return random_split(interactions.unique(["user_id", "item_id"], keep="first", maintain_order=True), seed=seed)
