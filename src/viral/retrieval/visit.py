"""A known user in the middle of a visit: the items just looked at count as much as the whole history.

With N what a user took in training and V what the visit has shown, the person is somebody who took N and r times V,
r = max(1, round(|N| / |V|)). Sums of item-item weights take just that. Of vectors, the rule for newcomers û
(:mod:`viral.retrieval.foldin`) tells what the visit changes, so that what a user's own vector holds beyond the history
stays:

    x = u + û(N ⊎ r V) - û(N).
"""

from dataclasses import replace

import torch
from torch import Tensor

from viral.models.memory import AnyScorer, MemoryScorer
from viral.retrieval.foldin import FoldIn
from viral.retrieval.taste import Taste


def visiting(scorer: AnyScorer, known: Taste, looked_at: Tensor, fold_in: FoldIn | None) -> Taste:
    """The taste of a user who has just looked at some items (n,), which is not recommended them anew."""
    seen = torch.cat([known.seen, looked_at]).unique()
    if not len(looked_at):
        return known
    times = max(1, round(len(known.taken) / len(looked_at)))
    both = torch.cat([known.taken, looked_at.repeat(times)])
    vector = known.vector
    if fold_in is not None:
        vector = vector + fold_in.vector(both) - fold_in.vector(known.taken)
    scale = scorer.scale_of(scorer.memory.of(both)) if isinstance(scorer, MemoryScorer) else known.scale
    return replace(known, vector=vector, taken=both, scale=scale, seen=seen)
