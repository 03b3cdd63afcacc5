"""Linear propagation over a graph (LightGCN eq. 3 and 4) and the layers it starts from."""

from typing import Any

import torch
from torch import Tensor, nn

from viral.graph import SparseMatrix


def propagate_sum(adjacency: SparseMatrix, nodes: Tensor, num_layers: int) -> Tensor:
    """Σ_{l=0..L} Âˡ X: (N, D) -> (N, D)."""
    result: Tensor = _PowerSum.apply(nodes, adjacency, num_layers, 1)
    return result


def propagate_mean(adjacency: SparseMatrix, nodes: Tensor, num_layers: int) -> Tensor:
    """Mean of ``nodes`` and its ``num_layers`` propagations: (N, D) -> (N, D)."""
    result: Tensor = _PowerSum.apply(nodes, adjacency, num_layers, num_layers + 1)
    return result


class _PowerSum(torch.autograd.Function):
    """The sum of powers of Â is linear, so its gradient is the same sum with Âᵀ, and no layer need be kept."""

    @staticmethod
    def forward(ctx: Any, nodes: Tensor, adjacency: SparseMatrix, num_layers: int, divisor: int) -> Tensor:
        ctx.adjacency, ctx.num_layers, ctx.divisor = adjacency, num_layers, divisor
        return _power_sum(adjacency, nodes, num_layers, divisor)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        return _power_sum(ctx.adjacency.transpose, gradient, ctx.num_layers, ctx.divisor), None, None, None


def _power_sum(adjacency: SparseMatrix, nodes: Tensor, num_layers: int, divisor: int) -> Tensor:
    """Horner's rule: X + Â(X + Â(X + …)), so that only one extra table lives at a time; divided in place."""
    if not num_layers:
        return nodes / divisor
    total = nodes
    for _ in range(num_layers):
        total = adjacency.multiply(total).add_(nodes)
    return total if divisor == 1 else total.div_(divisor)


def embedding(num_rows: int, dim: int, *, normal: bool = False) -> nn.Embedding:
    """An id-embedding table with Xavier weights, uniform or normal."""
    table = nn.Embedding(num_rows, dim)
    (nn.init.xavier_normal_ if normal else nn.init.xavier_uniform_)(table.weight)
    return table
