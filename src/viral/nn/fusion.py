"""Information-aware fusion: the synergy, redundancy and unique parts of VIRAL (arXiv 2511.02113).

Shapes: I items, d the cross-modal width. Every item is one token of its own sequence, so attention runs over a single
key: its softmax is 1 and it is exactly the affine map W_o W_v LN(k) + b. Queries and key projections would receive no
gradient, so they do not exist here.
"""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from viral.nn.losses import info_nce


def linear(in_dim: int, out_dim: int) -> nn.Linear:
    """A linear layer with Xavier-uniform weights and zero bias."""
    layer = nn.Linear(in_dim, out_dim)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


class TokenEncoder(nn.Module):
    """A pre-LN transformer layer over one token a sequence, one head, no dropout, with a final LayerNorm.

    y = x + W_o W_v LN0(k);  z = y + W_2 relu(W_1 LN1(y));  out = LN(z), where x and k are first multiplied by √d.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.scale = math.sqrt(dim)
        self.norm_attention, self.norm_feedforward, self.norm_out = (nn.LayerNorm(dim) for _ in range(3))
        self.value, self.out = linear(dim, dim), linear(dim, dim)
        self.expand, self.contract = linear(dim, 4 * dim), linear(4 * dim, dim)

    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        """(I, d), (I, d) -> (I, d)."""
        x = query * self.scale
        y = x + self.out(self.value(self.norm_attention(key * self.scale)))
        return self.norm_out(y + self.contract(F.relu(self.expand(self.norm_feedforward(y)))))


class CrossModal(NamedTuple):
    """A part that both modalities enter, and the pairs of representations that its loss makes agree."""

    value: Tensor  # (I, d)
    pairs: tuple[tuple[Tensor, Tensor], ...]

    def alignment(self, rows: Tensor | None, temperature: float) -> Tensor:
        """Σ over the pairs of symmetric InfoNCE, over all items or the given rows."""
        chosen = [(a, b) if rows is None else (a[rows], b[rows]) for a, b in self.pairs]
        return torch.stack([info_nce(a, b, temperature) for a, b in chosen]).sum()


class Synergy(nn.Module):
    """s = ½ (h_{t←v} + h_{v←t}): each modality asks the other, then itself."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.cross_text, self.cross_visual, self.self_text, self.self_visual = (TokenEncoder(dim) for _ in range(4))

    def forward(self, text: Tensor, visual: Tensor) -> CrossModal:
        """(I, d), (I, d) -> s (I, d) and the pair (h_{t←v}, h_{v←t})."""
        a = self.cross_text(text, visual)
        a = self.self_text(a, a)
        b = self.cross_visual(visual, text)
        b = self.self_visual(b, b)
        return CrossModal((a + b) / 2, ((a, b),))


class Redundancy(nn.Module):
    """r = ⅓ (h + h_t + h_v): one encoder sees both modalities, the text alone and the picture alone (the rest zero)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.join = linear(2 * dim, dim)
        self.encoder = TokenEncoder(dim)

    def forward(self, text: Tensor, visual: Tensor) -> CrossModal:
        """(I, d), (I, d) -> r (I, d) and the pairs (h_t, r), (h_v, r), (h_v, h_t)."""
        weight_text, weight_visual = self.join.weight.chunk(2, dim=1)  # W [t | 0] = W_t t: half of the zeros' work
        from_text, from_visual = text @ weight_text.T, visual @ weight_visual.T
        both = from_text + from_visual + self.join.bias
        h, h_text, h_visual = (
            self.encoder(x, x) for x in (both, from_text + self.join.bias, from_visual + self.join.bias)
        )
        r = (h + h_text + h_visual) / 3
        return CrossModal(r, ((h_text, r), (h_visual, r), (h_visual, h_text)))


def without(x: Tensor, direction: Tensor) -> Tensor:
    """Take from x its projection on ``direction``, row by row, at unit length: (I, d), (I, d) -> (I, d)."""
    share = (x * direction).sum(dim=-1, keepdim=True) / (direction.square().sum(dim=-1, keepdim=True) + 1e-8)
    return F.normalize(x - share * direction, dim=-1)
