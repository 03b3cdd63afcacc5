"""Who would want an item. Shapes: U users, I items, D the width of a vector."""

import torch
import torch.nn.functional as F
from torch import Tensor

from viral.bundle import Bundle
from viral.models.base import EmbeddingScorer


def wanting(bundle: Bundle, vector: Tensor) -> Tensor:
    """How much each user wants an item with this vector (D,): (U,).

    A model's scores compare items for one user, not users for one item: who has a long vector would want everything.
    So a score is told in standard deviations from the mean of the user's scores of all items, (s - μ_u) / σ_u, with
    μ_u = ⟨u, mean v⟩ and σ_u² = uᵀ Cov(v) u. A sum of item-item weights is told as a mean over what the user took.
    """
    scorer = bundle.scorer
    if isinstance(scorer, EmbeddingScorer):
        mean = scorer.items.mean(dim=0)
        spread = torch.cov(scorer.items.T, correction=0).reshape(len(mean), len(mean))
        deviation = ((scorer.users @ spread) * scorer.users).sum(dim=1).clamp(min=1e-12).sqrt()
        return (scorer.users @ (vector - mean)) / deviation
    sums = F.embedding_bag(
        scorer.items, vector[:, None].contiguous(), scorer.offsets, mode="mean", include_last_offset=True
    )
    return sums.squeeze(1)
