"""The user-item graph."""

import torch
from torch import Tensor

from viral.data import Interactions
from viral.graph.sparse import SparseMatrix


def bipartite_adjacency(train: Interactions) -> SparseMatrix:
    """D^-1/2 A D^-1/2 of the user-item graph, users first, no self-loops: sparse (U+I, U+I), symmetric.

    LightGCN eq. 3 (He et al., SIGIR 2020). A node without an interaction has an empty row. A pair that occurs twice
    counts once.
    """
    keys = train.keys()
    users = torch.div(keys, train.num_items, rounding_mode="floor")
    items = keys - users * train.num_items + train.num_users
    num_nodes = train.num_users + train.num_items
    rows, columns = torch.cat([users, items]), torch.cat([items, users])
    degree = torch.bincount(rows, minlength=num_nodes).float()
    values = (degree[rows] * degree[columns]).rsqrt()
    return SparseMatrix.of(rows, columns, values, (num_nodes, num_nodes), symmetric=True)


def neighbor_means(train: Interactions) -> tuple[SparseMatrix, SparseMatrix]:
    """D^-1 A of the user-item graph, in two parts: users as means of items (U, I), items as means of users (I, U).

    A node without an interaction has an empty row.
    """
    keys = train.keys()
    users = torch.div(keys, train.num_items, rounding_mode="floor")
    items = keys - users * train.num_items
    shape = (train.num_users, train.num_items)
    return _means(users, items, shape), _means(items, users, shape[::-1])


def _means(rows: Tensor, columns: Tensor, shape: tuple[int, int]) -> SparseMatrix:
    return SparseMatrix.of(rows, columns, torch.bincount(rows).reciprocal()[rows], shape)
