"""Who chose what: draws without replacement, proportional to exp(utility). E interactions, U users, I items.

Drawing again and again with replacement and leaving out what was already chosen is the same as Gumbel-top-k (both are
the Plackett–Luce model), and needs no table of users × items: users of equal preferences share one distribution over
the cells (colour, origin, pattern, xor), and items of one cell differ only by their appeal. Users for whom too little
is left are finished by Gumbel-top-k over the rest.
"""

import numpy as np

from viral.lab.shop.config import KINDS, MIN_INTERACTIONS, ShopConfig
from viral.lab.shop.world import CHOICES, SIZES, FloatArray, IntArray, World, likes, stream

ROUNDS = 12
BLOCK = 4_000_000  # utilities in memory at once


def choose(world: World, config: ShopConfig) -> tuple[IntArray, IntArray]:
    """Every user's items: user and item indices (E,), sorted by user, then item, no pair twice."""
    rng = stream(config, CHOICES)
    spread = rng.poisson(config.interactions_per_user - MIN_INTERACTIONS, config.users)
    wanted = np.minimum(MIN_INTERACTIONS + spread, config.items // 2)
    sampler = _ItemSampler(world)
    keys = np.zeros(0, dtype=np.int64)  # user * I + item, ascending
    missing = wanted
    for _ in range(ROUNDS):
        users = np.repeat(np.arange(config.users), missing)
        if not len(users):
            break
        keys = _merged(keys, users * config.items + sampler.draw(users, rng))
        missing = wanted - np.bincount(keys // config.items, minlength=config.users)
    keys = _merged(keys, _finish(world, missing, keys, rng))
    return keys // config.items, keys % config.items


def _merged(keys: IntArray, more: IntArray) -> IntArray:
    """The distinct keys of both, ascending."""
    both = np.sort(np.concatenate([keys, more]))  # np.unique hashes: ten times slower for millions of keys
    return both[np.diff(both, prepend=-1) > 0]


class _ItemSampler:
    """Draws items with replacement, by two look-ups in cumulative sums: a cell by preference, an item by cell."""

    def __init__(self, world: World) -> None:
        sizes = tuple(SIZES.values())
        cells = np.ravel_multi_index(tuple(world.values.T), sizes)  # (I,)
        self._order = np.argsort(cells, kind="stable")
        self._preferences = np.ravel_multi_index(tuple(world.preferences.T), sizes)  # (U,)
        weight = np.exp(world.appeal - world.appeal.max())
        self._items = np.cumsum(weight[self._order])
        ends = np.searchsorted(cells[self._order], np.arange(np.prod(sizes)), side="right")
        bounds = np.concatenate([[0.0], self._items])
        self._starts = bounds[np.concatenate([[0], ends[:-1]])]
        self._mass = bounds[ends] - self._starts  # (cells,)
        self._ends = ends
        log_odds = _log_odds(world)
        with np.errstate(divide="ignore"):
            log_odds = log_odds + np.log(self._mass)  # an empty cell: -inf
        odds = np.exp(log_odds - log_odds.max(axis=1, keepdims=True))
        cumulative = np.cumsum(odds, axis=1)
        self._cells = (cumulative / cumulative[:, -1:] + np.arange(len(odds))[:, None]).ravel()
        self._num_cells = len(self._mass)

    def draw(self, users: IntArray, rng: np.random.Generator) -> IntArray:
        """One item per entry of ``users``: (n,) -> (n,)."""
        place = np.searchsorted(self._cells, self._preferences[users] + rng.random(len(users)), side="right")
        cell = np.minimum(place, len(self._cells) - 1) % self._num_cells
        target = self._starts[cell] + rng.random(len(users)) * self._mass[cell]
        row = np.searchsorted(self._items, target, side="right")
        return self._order[np.minimum(row, self._ends[cell] - 1)]


def _log_odds(world: World) -> FloatArray:
    """Log-odds of every cell for every set of preferences, without appeal: (sets, cells), as ``ravel_multi_index``."""
    total = np.zeros((1, 1))
    for number, kind in enumerate(KINDS):
        gain = world.logit[number] * likes(kind, world.liked)
        outer = total[:, None, :, None] + gain[None, :, None, :]
        total = outer.reshape(len(total) * len(gain), -1)
    return total


def _finish(world: World, missing: IntArray, taken: IntArray, rng: np.random.Generator) -> IntArray:
    """Keys for users who lack ``missing`` items (U,), by Gumbel-top-k over the items that they have not chosen."""
    num_items = len(world.colour)
    pending = np.flatnonzero(missing)
    if not len(pending):
        return pending
    found = []
    for users in np.array_split(pending, max(1, -(-len(pending) * num_items // BLOCK))):
        scores: FloatArray = world.log_weights(users) + rng.gumbel(size=(len(users), num_items))
        span = slice(*np.searchsorted(taken, (users[0] * num_items, (users[-1] + 1) * num_items)))
        own = taken[span][np.isin(taken[span] // num_items, users)]
        scores[np.searchsorted(users, own // num_items), own % num_items] = -np.inf
        ranked = np.argsort(-scores, axis=1, kind="stable")
        first = np.arange(num_items) < missing[users][:, None]
        found.append((users[:, None] * num_items + ranked)[first])
    return np.concatenate(found)
