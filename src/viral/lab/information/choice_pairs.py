"""The target: does this user choose this item? Choices, and as many non-choices of the same users. N pairs, I items."""

from dataclasses import dataclass

import numpy as np

from viral.base.errors import DataError, UsageError
from viral.data.interactions import Interactions
from viral.lab.information.decomposition import IntArray

FOLDS, LEAST_ITEMS, ROUNDS = 4, 40, 100
STREAM = 0x1F0  # keeps these random numbers apart from those of a generator with the same seed, such as the shop's
NEGATIVES = ("uniform", "popularity")


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Pairs of users and items; every user has as many of y = 1 as of y = 0, so the user alone says nothing of y."""

    users: IntArray  # (N,)
    items: IntArray  # (N,)
    chosen: IntArray  # (N,) y: 1 or 0
    folds: IntArray  # (N,) of the item


def item_folds(num_items: int, seed: int) -> IntArray:
    """A random fold for every item, of about equal sizes: (I,). ``DataError`` where there are too few items."""
    if num_items < LEAST_ITEMS:
        hint = f"at least {LEAST_ITEMS} items are needed to hold some out"
        raise DataError(f"{num_items} items are too few", where="information", hint=hint)
    return np.random.default_rng([seed, STREAM]).permutation(np.arange(num_items) % FOLDS)


def draw_pairs(
    positives: Interactions, seen: Interactions, folds: IntArray, candidates: IntArray, negatives: str, *, seed: int
) -> Pairs:
    """Every positive and, for each, one item of the same fold that the same user never chose (1:1).

    ``seen`` are all interactions, positives too. ``uniform``: over ``candidates`` (item indices), as training draws.
    ``popularity``: in proportion to how often an item is among the positives, so that popularity alone says little of
    y. A positive whose user has (nearly) every candidate of the fold gets no negative and is left out.
    """
    if negatives not in NEGATIVES:
        raise UsageError(f"unknown negatives {negatives!r}", hint=" or ".join(NEGATIVES))
    rng = np.random.default_rng([seed, STREAM, 1])
    keys, taken, size = positives.keys().numpy(), seen.keys().numpy(), seen.num_items
    users, items = keys // size, keys % size
    weight = np.bincount(items if negatives == "popularity" else candidates, minlength=size)
    drawn = np.full(len(users), -1)
    for fold in range(int(folds.max()) + 1):
        here = np.flatnonzero(folds[items] == fold)
        pool = np.flatnonzero((folds == fold) & (weight > 0))
        if len(pool):
            drawn[here] = _unseen(users[here], pool, weight[pool], taken, size, rng)
    kept = drawn >= 0
    users, items, drawn = users[kept], items[kept], drawn[kept]
    if not len(users):
        raise DataError("no pair to measure on", where="information", hint="the log has no interaction held out")
    both = np.concatenate([items, drawn])
    return Pairs(np.tile(users, 2), both, np.repeat(np.array([1, 0]), len(users)), folds[both])


def _unseen(
    users: IntArray, pool: IntArray, weight: IntArray, keys: IntArray, num_items: int, rng: np.random.Generator
) -> IntArray:
    """One item of ``pool`` for every user that is not among ``keys``, by rejection; -1 where none was met: (n,)."""
    share = weight / weight.sum()
    drawn = rng.choice(pool, size=len(users), p=share)
    pending = np.arange(len(users))
    for _ in range(ROUNDS):
        wanted = users[pending] * num_items + drawn[pending]
        places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        pending = pending[keys[places] == wanted]
        if not len(pending):
            return drawn
        drawn[pending] = rng.choice(pool, size=len(pending), p=share)
    drawn[pending] = -1
    return drawn
