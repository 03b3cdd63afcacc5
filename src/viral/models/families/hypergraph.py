"""Hyperedges learnt from features, the attributes through which LGMRec's nodes of all the catalogue meet.

Shapes: U users, I items, D embedding dimension, H hyperedges, F features.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from viral.graph import SparseMatrix
from viral.models.families.layers import linear


class Hypergraph(nn.Module):
    """How much each node depends on each of H hyperedges, softly and, while training, with Gumbel noise and dropout.

    An item's logits are linear in its features, a user's the sum over the items they took.
    """

    def __init__(self, width: int, num_hyperedges: int, temperature: float, keep_rate: float) -> None:
        super().__init__()
        self.attributes = linear(width, num_hyperedges, bias=False)
        self.temperature, self.keep_rate = temperature, keep_rate

    def forward(self, taken: SparseMatrix, features: Tensor) -> Tensor:
        """Dependencies of users, then items, from the binary (U, I) and (I, F): (U+I, H)."""
        items = self.attributes(features)
        logits = torch.cat([taken @ items, items])
        if self.training:
            return F.dropout(F.gumbel_softmax(logits, self.temperature), 1 - self.keep_rate)
        return (logits / self.temperature).softmax(dim=1)


def gathered(items: Tensor, nodes: Tensor, num_layers: int) -> Tensor:
    """What hyperedges hold in the last of some layers E_i ← H_i H_iᵀ E_i, H_iᵀ E_i: (I, H), (I, D) -> (H, D).

    The last layer's nodes are H times that, of users and items; it is formed of those that are asked for.
    """
    edges = items.T @ nodes
    for _ in range(num_layers - 1):
        edges = items.T @ (items @ edges)
    return edges


def coordinates(nodes: Sequence[Tensor], edges: Sequence[Tensor]) -> list[Tensor]:
    """Of the nodes H E of several hypergraphs in what the edges of all span: M times (n, H), (H, D) -> (n, ≤ M·H).

    Lengths and inner products are those of H E, and so are their gradients, though the basis is held fixed: how far a
    node moves out of the span changes none of them. Where the span has no fewer directions than D, H E as it is.
    """
    spanning = torch.cat(list(edges))  # (M·H, D)
    if len(spanning) < spanning.shape[1]:
        basis = torch.linalg.qr(spanning.detach().T).Q  # (D, M·H)
        edges = [table @ basis for table in edges]
    return [h @ table for h, table in zip(nodes, edges, strict=True)]
