"""The graphs of users among users and of items among items, as one matrix over all nodes.

Shapes: U users, I items, N = U + I nodes, n chosen nodes.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from viral.graph import SparseMatrix


def links(of_users: SparseMatrix | None, of_items: SparseMatrix | None, num_users: int, num_items: int) -> SparseMatrix:
    """[[½ (1 + A_u), 0], [0, 1 + S]], (N, N): each user with the like-minded, each item with the similar ones.

    A graph that is not there leaves its nodes as they are. Rows of it (``SparseMatrix.rows``) are all that a batch
    needs.
    """
    like = next((one.values for one in (of_users, of_items) if one is not None), torch.empty(0))
    blocks = [
        _with_self(of_users or _empty(num_users, like), 1.0 if of_users is None else 0.5, 0),
        _with_self(of_items or _empty(num_items, like), 1.0, num_users),
    ]
    lengths, columns, values = (torch.cat(parts) for parts in zip(*blocks, strict=True))
    return SparseMatrix(F.pad(lengths.cumsum(0), (1, 0)), columns, values, num_users + num_items)


def _empty(num_nodes: int, like: Tensor) -> SparseMatrix:
    nothing = like.new_empty(0)
    return SparseMatrix(like.new_zeros(num_nodes + 1), nothing, nothing, num_nodes)


def _with_self(graph: SparseMatrix, weight: float, first: int) -> tuple[Tensor, Tensor, Tensor]:
    """Lengths of the rows (n,), columns and values of ``weight`` (1 + A), its columns counted from ``first``."""
    num_nodes = graph.shape[0]
    lengths = graph.offsets.diff().long() + 1
    starts = lengths.cumsum(0) - lengths
    columns = graph.columns.new_empty(len(graph.columns) + num_nodes)
    values = graph.values.new_full((len(columns),), weight)
    other = torch.ones_like(columns, dtype=torch.bool).index_fill_(0, starts, False)
    columns[starts] = torch.arange(num_nodes, dtype=columns.dtype, device=columns.device)
    columns[other], values[other] = graph.columns, graph.values * weight
    return lengths, columns + first, values
