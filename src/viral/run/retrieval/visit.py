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

from viral.models.scorers import Scorer, UserProfile
from viral.run.retrieval.fold_in import FoldIn


def times_of(taken: int, shown: int) -> int:
    """How often a visit of so many items counts beside a history of so many."""
    return max(1, round((taken / shown) ** 0.5))


def visiting(
    scorer: Scorer,
    known: UserProfile,
    shown: Tensor,
    fold_in: FoldIn | None,
    times: Callable[[int, int], int] = times_of,
) -> UserProfile:
    """The taste of a user whom a visit has just shown some items (n,), which are as good as taken."""
    if not len(shown):
        return known
    both = torch.cat([known.history, shown.repeat(times(len(known.history), len(shown)))])
    vector = known.vector
    if fold_in is not None:
        vector = vector + fold_in.vector(both) - fold_in.vector(known.history)
    return replace(scorer.fold_in(both, vector), seen=torch.cat([known.seen, shown]).unique())
