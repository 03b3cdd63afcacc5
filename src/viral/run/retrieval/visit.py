"""A known user in the middle of a visit: the items just looked at count for more than older ones.

With N what a user took in training and V what the visit has shown, the person is somebody who took N and r times V,
r = max(1, round(√(|N| / |V|))): so the visit is not lost beside a long history, nor the history beside a visit. Sums of
item-item weights take just that. Of vectors, the rule for newcomers û (:mod:`viral.run.retrieval.fold_in`) tells what
the visit changes, so that what a user's own vector holds beyond the history stays:

    x = u + û(N ⊎ r V) - û(N).
"""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from viral.models.memory_scorer import AnyScorer, MemoryScorer
from viral.run.retrieval.fold_in import FoldIn
from viral.run.retrieval.user_vectors import Taste


def times_of(taken: int, shown: int) -> int:
    """How often a visit of so many items counts beside a history of so many."""
    return max(1, round((taken / shown) ** 0.5))


def visiting(
    scorer: AnyScorer, known: Taste, shown: Tensor, fold_in: FoldIn | None, times: Callable[[int, int], int] = times_of
) -> Taste:
    """The taste of a user whom a visit has just shown some items (n,), which are as good as taken."""
    if not len(shown):
        return known
    both = torch.cat([known.taken, shown.repeat(times(len(known.taken), len(shown)))])
    vector = known.vector
    if fold_in is not None:
        vector = vector + fold_in.vector(both) - fold_in.vector(known.taken)
    scale = scorer.scale_of(scorer.memory.of(both)) if isinstance(scorer, MemoryScorer) else known.scale
    seen = torch.cat([known.seen, shown]).unique()
    return replace(known, vector=vector, taken=both, scale=scale, seen=seen)
