"""Training triplets: one epoch of shuffled positives, each with one uniformly drawn negative."""

from collections.abc import Iterator

import torch
from torch import Tensor

from viral.base.errors import DataError
from viral.data.interactions import Interactions, Triplets
from viral.data.preconditions import AGAIN, LACKS, NO_NEGATIVE


class TripletSampler:
    """Draws epochs of triplets.

    Negatives are uniform over the items of ``train`` without those of the user's own history in it, by exact rejection
    (the protocol of MMRec; an item that never occurs in training is never pushed down). A user whose history has every
    item has no negative; such users' triplets are left out and counted in ``num_skipped``.
    """

    def __init__(self, train: Interactions) -> None:
        if not len(train):
            raise DataError(LACKS["train"], hint=AGAIN)
        self._seen = train.keys()
        self._candidates = torch.unique(train.items)
        distinct = torch.bincount(
            torch.div(self._seen, train.num_items, rounding_mode="floor"), minlength=train.num_users
        )
        trainable = distinct[train.users] < len(self._candidates)
        self._users, self._items = train.users[trainable], train.items[trainable]
        self._num_items = train.num_items
        self.num_skipped = int((~trainable).sum())
        if not len(self._users):
            raise DataError(NO_NEGATIVE, hint="the log needs more items")

    def __len__(self) -> int:
        """Triplets per epoch."""
        return len(self._users)

    def epoch(self, batch_size: int, rng: torch.Generator) -> Iterator[Triplets]:
        """Yield one epoch in batches; the last may be smaller."""
        order = torch.randperm(len(self._users), generator=rng)
        users, positives = self._users[order], self._items[order]
        negatives = self.negatives(users, rng)
        yield from map(Triplets, users.split(batch_size), positives.split(batch_size), negatives.split(batch_size))

    def negatives(self, users: Tensor, rng: torch.Generator) -> Tensor:
        """For each user one item that is not in their history in ``train``: (B,) -> (B,)."""

        def draw(count: int) -> Tensor:
            return self._candidates[torch.randint(len(self._candidates), (count,), generator=rng)]

        first = users * self._num_items  # of the keys of each user
        negatives = draw(len(users))
        pending = contains(self._seen, first + negatives).nonzero().squeeze(1)
        while len(pending):
            drawn = draw(len(pending))
            negatives[pending] = drawn
            pending = pending[contains(self._seen, first[pending] + drawn)]
        return negatives


def contains(ascending: Tensor, values: Tensor) -> Tensor:
    """Whether each of the values (n,) occurs in the ascending (m,): bool (n,).

    They are looked up in their order: in a large log, each at random meets memory that is in no cache.
    """
    if not len(ascending):
        return torch.zeros_like(values, dtype=torch.bool)
    ordered, order = values.sort()
    places = torch.searchsorted(ascending, ordered).clamp_(max=len(ascending) - 1)
    return torch.empty_like(values, dtype=torch.bool).scatter_(0, order, ascending[places] == ordered)
