"""Hyperedges learnt from features, the attributes through which LGMRec's nodes of all the catalogue meet.

Shapes: U users, I items, D embedding dimension, H hyperedges, F features.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from viral.graph import SparseMatrix
from viral.nn.fusion import linear


class Hypergraph(nn.Module):
    """How much each node depends on each of H hyperedges, softly and, while training, with Gumbel noise and dropout.

    An item's logits are linear in its features, a user's the sum over the items they took.
    """

    def __init__(self, width: int, num_hyperedges: int, temperature: float, keep_rate: float) -> None:
        super().__init__()
        self.attributes = linear(width, num_hyperedges, bias=False)
        self.temperature, self.keep_rate = temperature, keep_rate

    def forward(self, taken: SparseMatrix, features: Tensor) -> tuple[Tensor, Tensor]:
        """Dependencies of users (U, H) and items (I, H), from the binary (U, I) and (I, F)."""
        items = self.attributes(features)
        logits = torch.cat([taken @ items, items])
        if self.training:
            soft = F.dropout(F.gumbel_softmax(logits, self.temperature), 1 - self.keep_rate)
        else:
            soft = (logits / self.temperature).softmax(dim=1)
        users, items = soft.tensor_split([taken.shape[0]])
        return users, items


def spread(users: Tensor, items: Tensor, nodes: Tensor, num_layers: int) -> Tensor:
    """E_i ← H_i H_iᵀ E_i, ``num_layers`` times, and E_u = H_u H_iᵀ E_i of the last.

    (U, H), (I, H), (I, D) -> (U+I, D).
    """
    for _ in range(num_layers):
        edges = items.T @ nodes  # (H, D)
        nodes = items @ edges
    return torch.cat([users @ edges, nodes])
