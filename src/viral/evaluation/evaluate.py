"""Evaluation of a ranking against held-out interactions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from viral.base.errors import DataError
from viral.data.interactions import Interactions
from viral.evaluation.metrics import METRICS
from viral.evaluation.ranking import BLOCK_BYTES, ScoreFunction, top_items

CUTOFFS = (10, 20)


@dataclass(frozen=True, slots=True, eq=False)
class Metrics:
    """Every metric per user, in full precision; ``mean`` and rounding are for reading only."""

    per_user: Mapping[str, Tensor]  # "recall@20" -> float64 (n,)
    users: Tensor  # int64 (n,): the users with at least one held-out item
    coverage: Mapping[str, float]  # "coverage@20" -> share of items that at least one user is shown
    pairs: Tensor  # int64 (H,): user * num_items + item of every held-out pair, ascending
    ranks: Tensor  # int16 (H,): the place of each among all items, from 1 on; 0 beyond the greatest cutoff
    exposure: Tensor  # int64 (I,): how many users are shown each item within the greatest cutoff

    def mean(self) -> dict[str, float]:
        """Means over users, and the coverages."""
        return {name: values.mean().item() for name, values in self.per_user.items()} | dict(self.coverage)


def evaluate(
    score: ScoreFunction,
    held_out: Interactions,
    seen: Interactions,
    cutoffs: Sequence[int] = CUTOFFS,
    *,
    metrics: Sequence[str] = tuple(METRICS),
    block_bytes: int = BLOCK_BYTES,
) -> Metrics:
    """Rank all items for every user with a held-out item and measure where the held-out items come.

    ``seen`` is masked; the published protocol masks ``train`` only, also when the test set is ranked. Users with no
    held-out item are left out, as everywhere in the literature.
    """
    if not len(held_out):
        raise DataError("nothing is held out, so nothing can be measured", hint="import the data set with a split")
    relevant = held_out.keys()  # duplicates within the held-out part count once
    owners = torch.div(relevant, held_out.num_items, rounding_mode="floor")
    wanted = relevant - owners * held_out.num_items
    users, num_relevant = torch.unique_consecutive(owners, return_counts=True)
    blocks = _blocks(users, held_out.num_items, block_bytes)
    counts = num_relevant.split([len(block) for block in blocks])
    pairs = wanted.split([int(count.sum()) for count in counts])
    shown, ranks = [], []
    ranking = top_items(score, users, seen, max(cutoffs), block_bytes=block_bytes)
    for top, count, items in zip(ranking, counts, pairs, strict=True):
        shown.append(top.cpu())
        ranks.append(_ranks(shown[-1], items, count))
    top, rank = torch.cat(shown), torch.cat(ranks)
    hits = _hits(rank, num_relevant, max(cutoffs))
    exposure = {k: torch.bincount(top[:, :k][top[:, :k] >= 0], minlength=held_out.num_items) for k in cutoffs}
    return Metrics(
        {f"{name}@{k}": METRICS[name](hits[:, :k], num_relevant).double() for name in metrics for k in cutoffs},
        users,
        {f"coverage@{k}": int(counted.count_nonzero()) / held_out.num_items for k, counted in exposure.items()},
        relevant,
        rank,
        exposure[max(cutoffs)],
    )


def _ranks(top: Tensor, items: Tensor, counts: Tensor) -> Tensor:
    """The place of each relevant item among those its user is shown, 0 where it is not: (B, k), (h,), (B,) -> (h,)."""
    rows = torch.arange(len(top)).repeat_interleave(counts)
    same = top.index_select(0, rows) == items[:, None]
    return (same * torch.arange(1, top.shape[1] + 1, dtype=torch.int16)).amax(dim=1)


def _hits(ranks: Tensor, counts: Tensor, k: int) -> Tensor:
    """Whether the item at each place is relevant: (H,), (n,) -> bool (n, k)."""
    hits = torch.zeros(len(counts), k, dtype=torch.bool)
    found = ranks > 0
    hits[torch.arange(len(counts)).repeat_interleave(counts)[found], ranks[found].long() - 1] = True
    return hits


def _blocks(users: Tensor, num_items: int, block_bytes: int) -> tuple[Tensor, ...]:
    """The blocks in which ``top_items`` walks through the users."""
    blocks: tuple[Tensor, ...] = users.split(max(1, block_bytes // (4 * num_items)))
    return blocks
