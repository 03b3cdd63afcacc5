"""Shared information of all modalities, and what of a modality is left without it.

Shapes: I items, d the cross-modal width, M modalities.
"""

from collections.abc import Sequence
from itertools import combinations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from viral.graph.functions import sum_of
from viral.models.families.layers import linear
from viral.models.viral.fusion.synergy import CrossModal
from viral.models.viral.fusion.tokens import TokenEncoder


class Redundancy(nn.Module):
    """r = mean(h, h_1 … h_M): one encoder sees all modalities together and each of them alone.

    The masked ones are zeros, as in the authors' code.
    """

    def __init__(self, dim: int, num_sources: int = 2) -> None:
        super().__init__()
        self.num_sources = num_sources
        self.join = linear(num_sources * dim, dim)
        self.encoder = TokenEncoder(dim)

    def forward(self, *sources: Tensor) -> CrossModal:
        """M times (I, d) -> r (I, d) and the pairs (h_1, r) … (h_M, r), (h_2, h_1) … (h_M, h_M-1)."""
        weights = self.join.weight.chunk(self.num_sources, dim=1)  # W [t | 0] = W_t t: half of the zeros' work
        alone = [x @ w.T for x, w in zip(sources, weights, strict=True)]
        together = sum_of(alone) + self.join.bias
        masked = [self.masked(m, x + self.join.bias, weights) for m, x in enumerate(alone)]
        h, *each = (self.encoder(x, x) for x in (together, *masked))
        r = sum_of([h, *each]) / (self.num_sources + 1)
        return CrossModal(r, (*((one, r) for one in each), *((b, a) for a, b in combinations(each, 2))))

    def masked(self, source: int, joined: Tensor, weights: Sequence[Tensor]) -> Tensor:
        """W [mask … x_m … mask] + b from W_m x_m + b; ``weights`` are the W_m."""
        return joined


class MaskedRedundancy(Redundancy):
    """With a learnt [MASK] vector for each masked modality, as the paper has it."""

    def __init__(self, dim: int, num_sources: int = 2) -> None:
        super().__init__(dim, num_sources)
        self.mask = nn.Parameter(nn.init.xavier_uniform_(torch.empty(num_sources, dim)))

    def masked(self, source: int, joined: Tensor, weights: Sequence[Tensor]) -> Tensor:
        others = [w @ mask for n, (w, mask) in enumerate(zip(weights, self.mask, strict=True)) if n != source]
        return joined + torch.stack(others).sum(dim=0)


class AnchorAsShared(nn.Module):
    """In the place of a redundancy that is off: the anchor counts as shared, and nothing is aligned."""

    def forward(self, anchor: Tensor, *others: Tensor) -> CrossModal:
        """(I, d) … -> the first (I, d), and no pairs."""
        return CrossModal(anchor, ())


def without(x: Tensor, direction: Tensor) -> Tensor:
    """Take from x its projection on ``direction``, row by row, at unit length: (I, d), (I, d) -> (I, d)."""
    share = (x * direction).sum(dim=-1, keepdim=True) / (direction.square().sum(dim=-1, keepdim=True) + 1e-8)
    return F.normalize(x - share * direction, dim=-1)
