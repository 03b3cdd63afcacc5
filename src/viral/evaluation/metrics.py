"""Ranking metrics, per user, binary relevance.

Shapes: B users, K cutoff. ``hits`` (B, K) says whether the item at each rank is relevant; ``num_relevant`` (B,) counts
the user's relevant items, all of them at least 1.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

Metric = Callable[[Tensor, Tensor], Tensor]


def recall(hits: Tensor, num_relevant: Tensor) -> Tensor:
    """|hits| / |relevant|."""
    return hits.sum(dim=1, dtype=torch.float64) / num_relevant


def precision(hits: Tensor, num_relevant: Tensor) -> Tensor:
    """|hits| / K."""
    return hits.sum(dim=1, dtype=torch.float64) / hits.shape[1]


def ndcg(hits: Tensor, num_relevant: Tensor) -> Tensor:
    """Σ_r hit_r / log2(r + 1), over the best sum that min(K, |relevant|) hits allow (Järvelin & Kekäläinen 2002)."""
    discounts = 1 / torch.log2(torch.arange(2, hits.shape[1] + 2, dtype=torch.float64))
    ideal = discounts.cumsum(0)[num_relevant.clamp(max=hits.shape[1]) - 1]
    return hits.double() @ discounts / ideal


def average_precision(hits: Tensor, num_relevant: Tensor) -> Tensor:
    """Σ_r hit_r · precision@r / |relevant| (trec_eval's map_cut: all relevant items count, not only K of them)."""
    ranks = torch.arange(1, hits.shape[1] + 1, dtype=torch.float64)
    return (hits * hits.cumsum(dim=1) / ranks).sum(dim=1) / num_relevant


def hit_rate(hits: Tensor, num_relevant: Tensor) -> Tensor:
    """1 where at least one hit, else 0."""
    return hits.any(dim=1).double()


METRICS: Mapping[str, Metric] = {
    "recall": recall,
    "ndcg": ndcg,
    "precision": precision,
    "map": average_precision,
    "hit_rate": hit_rate,
}
