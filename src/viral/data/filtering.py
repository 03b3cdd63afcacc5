"""Filtering of an interaction log before it is split."""

import polars as pl


def k_core(interactions: pl.DataFrame, k: int) -> pl.DataFrame:
    """Keep the largest set of rows in which every ``user_id`` and ``item_id`` occurs at least ``k`` times.

    Users and items are dropped in turn until nothing changes (the k-core of the bipartite graph); row order is kept.
    """
    while True:
        kept = interactions.filter(pl.len().over("user_id") >= k).filter(pl.len().over("item_id") >= k)
        if kept.height == interactions.height:
            return kept
        interactions = kept
