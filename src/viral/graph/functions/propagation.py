"""Linear propagation over a graph (LightGCN eq. 3 and 4) and the layers it starts from."""

from typing import Any

import torch
from torch import Tensor, nn

from viral.graph.functions.sparse import SparseMatrix


def propagate_sum(adjacency: SparseMatrix, nodes: Tensor, num_layers: int) -> Tensor:
    """Σ_{l=0..L} Âˡ X: (N, D) -> (N, D)."""
    result: Tensor = _PowerSum.apply(nodes, adjacency, num_layers, 1)
    return result


def propagate_mean(adjacency: SparseMatrix, nodes: Tensor, num_layers: int) -> Tensor:
    """Mean of ``nodes`` and its ``num_layers`` propagations: (N, D) -> (N, D)."""
    result: Tensor = _PowerSum.apply(nodes, adjacency, num_layers, num_layers + 1)
    return result


def propagate_mean_rows(
    adjacency: SparseMatrix, tables: tuple[Tensor, ...], num_layers: int, rows: tuple[Tensor, ...]
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Rows of :func:`propagate_mean` and of the tables themselves: (N_b, D) …, (n_b,) … -> (n_b, D) … and (n_b, D) ….

    ``tables`` are the nodes in the blocks of the adjacency (users and items where it is bipartite, else all in one),
    ``rows`` indices within each. A loss over a batch needs no more: no sum and no copy of whole tables, and the first
    and the last product only where the batch reads them.
    """
    found = _PowerMeanRows.apply(adjacency, num_layers, *tables, *rows)
    return found[: len(rows)], found[len(rows) :]


class _PowerMeanRows(torch.autograd.Function):
    """As :class:`_PowerSum`, whose gradient enters each layer in some rows only."""

    @staticmethod
    def forward(ctx: Any, adjacency: SparseMatrix, num_layers: int, *given: Tensor) -> tuple[Tensor, ...]:
        layer, rows = given[: len(given) // 2], given[len(given) // 2 :]
        ctx.adjacency, ctx.num_layers, ctx.shapes = adjacency, num_layers, [table.shape for table in layer]
        ctx.save_for_backward(*rows)
        own = _take(layer, rows)
        total = tuple(x / (num_layers + 1) for x in own)
        for depth in range(1, num_layers + 1):
            if depth == num_layers:
                found = adjacency.block_rows(rows, layer)
            else:
                layer = adjacency.multiply_blocks(layer)
                found = _take(layer, rows)
            for x, more in zip(total, found, strict=True):
                x.add_(more, alpha=1 / (num_layers + 1))
        return *total, *own

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        rows, adjacency = ctx.saved_tensors, ctx.adjacency.transpose
        to_mean = tuple(g / (ctx.num_layers + 1) for g in gradients[: len(rows)])
        if ctx.num_layers:
            blocks = adjacency.block_columns(rows, to_mean)
            for _ in range(ctx.num_layers - 1):
                blocks = adjacency.multiply_blocks(_add(blocks, rows, to_mean))
        else:
            blocks = tuple(map(gradients[0].new_zeros, ctx.shapes))
        _add(blocks, rows, tuple(map(torch.add, to_mean, gradients[len(rows) :])))
        return None, None, *blocks, *(None for _ in rows)


def _take(blocks: tuple[Tensor, ...], rows: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Rows (n_b,) of each block: (n_b, D) …."""
    return tuple(block.index_select(0, some) for block, some in zip(blocks, rows, strict=True))


def _add(blocks: tuple[Tensor, ...], rows: tuple[Tensor, ...], values: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """The blocks, to rows (n_b,) of which ``values`` (n_b, D) were added."""
    for block, some, value in zip(blocks, rows, values, strict=True):
        block.index_add_(0, some, value)
    return blocks


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
    own = total = adjacency.blocks(nodes)
    for _ in range(num_layers - 1):
        total = tuple(new.add_(x) for new, x in zip(adjacency.multiply_blocks(total), own, strict=True))
    result = torch.empty_like(nodes)
    for new, x, out in zip(adjacency.multiply_blocks(total), own, adjacency.blocks(result), strict=True):
        torch.add(new, x, out=out)
    return result if divisor == 1 else result.div_(divisor)


def embedding(num_rows: int, dim: int, *, normal: bool = False) -> nn.Embedding:
    """An id-embedding table with Xavier weights, uniform or normal."""
    table = nn.Embedding(num_rows, dim)
    (nn.init.xavier_normal_ if normal else nn.init.xavier_uniform_)(table.weight)
    return table
