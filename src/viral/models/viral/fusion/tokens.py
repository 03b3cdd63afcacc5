"""Encoder layers over items as tokens: the exact short form for one token, and real attention over neighbours.

Shapes: I items, d the cross-modal width, k tokens of an item.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from viral.models.families.layers import linear


class TokenEncoder(nn.Module):
    """A pre-LN transformer layer over one token a sequence, one head, no dropout, with a final LayerNorm.

    y = x + W_o W_v LN0(k);  z = y + W_2 relu(W_1 LN1(y));  out = LN(z), where x and k are first multiplied by √d.
    Attention over a single key is exactly this affine map: its softmax is 1, whatever the query. Projections of
    queries and keys would receive no gradient, so they do not exist here.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.scale = math.sqrt(dim)
        self.norm_attention, self.norm_feedforward, self.norm_out = (nn.LayerNorm(dim) for _ in range(3))
        self.value, self.out = linear(dim, dim), linear(dim, dim)
        self.expand, self.contract = linear(dim, 4 * dim), linear(4 * dim, dim)

    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        """(I, d), (I, d) -> (I, d)."""
        y = torch.add(self.attend(query, key), query, alpha=self.scale)
        inner = F.relu(after_norm(y, self.norm_feedforward, self.expand.weight, self.expand.bias), inplace=True)
        return self.norm_out(self.contract(inner).add_(y))

    def attend(self, query: Tensor, key: Tensor) -> Tensor:
        """What attention adds to each item: W_o W_v, one product of an item's and not two, of its only token."""
        weight, bias = self.out.weight @ self.value.weight, self.out.weight @ self.value.bias + self.out.bias
        return after_norm(key, self.norm_attention, weight, bias, self.scale)


def after_norm(x: Tensor, norm: nn.LayerNorm, weight: Tensor, bias: Tensor, scale: float = 1.0) -> Tensor:
    """W LN(scale · x) + b, with the norm's own weights multiplied into W: (I, d) -> (I, n).

    So the table in between costs no gradient where x is fixed, and none of the norm's weights where it is not. A norm
    does not see a scale but in its ε.
    """
    plain = F.layer_norm(x, norm.normalized_shape, eps=norm.eps / scale**2)
    return F.linear(plain, weight * norm.weight, weight @ norm.bias + bias)


class NeighborEncoder(TokenEncoder):
    """The same layer when an item's sequence is its k nearest neighbours: attention that has something to choose.

    ``neighbors`` (I, k) are indices of items, the item itself first. The key bias of the usual layer is left out: it
    adds the same number to every logit of a query.
    """

    neighbors: Tensor  # (I, k) int64

    def __init__(self, dim: int, *, neighbors: Tensor) -> None:
        super().__init__(dim)
        self.query, self.key = linear(dim, dim), linear(dim, dim, bias=False)
        self.register_buffer("neighbors", neighbors, persistent=False)

    def attend(self, query: Tensor, key: Tensor) -> Tensor:
        """W_o Σ_n softmax_n(q_i · k_n / √d) v_n over the neighbours n of item i: (I, d), (I, d) -> (I, d)."""
        asked = self.query(self.norm_attention(query * self.scale))
        known = self.norm_attention(key * self.scale)
        keys, values = self.key(known)[self.neighbors], self.value(known)[self.neighbors]  # (I, k, d)
        weights = ((keys @ asked.unsqueeze(-1)) / self.scale).softmax(dim=1)  # (I, k, 1)
        attended: Tensor = self.out((weights * values).sum(dim=1))
        return attended
