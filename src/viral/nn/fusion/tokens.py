"""Encoder layers over items as tokens: the exact short form for one token, and real attention over neighbours.

Shapes: I items, d the cross-modal width, k tokens of an item.
"""

import math

import torch.nn.functional as F
from torch import Tensor, nn


def linear(in_dim: int, out_dim: int, *, bias: bool = True) -> nn.Linear:
    """A linear layer with Xavier-uniform weights and zero bias."""
    layer = nn.Linear(in_dim, out_dim, bias=bias)
    nn.init.xavier_uniform_(layer.weight)
    if bias:
        nn.init.zeros_(layer.bias)
    return layer


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
        x = query * self.scale
        y = x + self.out(self.attend(x, self.norm_attention(key * self.scale)))
        return self.norm_out(y + self.contract(F.relu(self.expand(self.norm_feedforward(y)))))

    def attend(self, query: Tensor, key: Tensor) -> Tensor:
        """The values that attention gives to each item: here its only one."""
        return self.value(key)


class NeighborEncoder(TokenEncoder):
    """The same layer when an item's sequence is its k nearest neighbours: attention that has something to choose.

    ``neighbors`` (I, k) are indices of items, the item itself first. The key bias of the usual layer is left out: it
    adds the same number to every logit of a query.
    """

    neighbors: Tensor  # (I, k) int64

    def __init__(self, dim: int, neighbors: Tensor) -> None:
        super().__init__(dim)
        self.query, self.key = linear(dim, dim), linear(dim, dim, bias=False)
        self.register_buffer("neighbors", neighbors, persistent=False)

    def attend(self, query: Tensor, key: Tensor) -> Tensor:
        """Σ_n softmax_n(q_i · k_n / √d) v_n over the neighbours n of item i: (I, d), (I, d) -> (I, d)."""
        asked = self.query(self.norm_attention(query))
        keys, values = self.key(key)[self.neighbors], self.value(key)[self.neighbors]  # (I, k, d)
        weights = ((keys @ asked.unsqueeze(-1)) / self.scale).softmax(dim=1)  # (I, k, 1)
        return (weights * values).sum(dim=1)


def token_encoder(dim: int, neighbors: Tensor | None) -> TokenEncoder:
    """The layer for sequences of one token, or of an item's neighbours where they are given."""
    return TokenEncoder(dim) if neighbors is None else NeighborEncoder(dim, neighbors)
