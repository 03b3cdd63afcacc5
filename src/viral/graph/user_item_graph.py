"""The user-item graph, and the matrix under it."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from viral.data.interactions import Interactions
from viral.graph.functions.ranges import RangedMatrix
from viral.graph.functions.sparse import SparseMatrix

if TYPE_CHECKING:
    import scipy.sparse as sp


class Bipartite(SparseMatrix):
    """A symmetric matrix (U+I, U+I) in which users meet items only, multiplied as its two halves.

    A half's rows are about equally long, so that threads share them evenly (users' rows are many and short, items' few
    and long), and each reads the table of one side, which stays in the cache, or what of it does (``RangedMatrix``).
    """

    def __init__(self, offsets: Tensor, columns: Tensor, values: Tensor, num_users: int) -> None:
        super().__init__(offsets, columns, values, len(offsets) - 1, symmetric=True)
        self.num_users, num_items, middle = num_users, len(offsets) - 1 - num_users, int(offsets[num_users])
        self.of_users = RangedMatrix(offsets[: num_users + 1], columns[:middle] - num_users, values[:middle], num_items)
        self.of_items = RangedMatrix(offsets[num_users:] - middle, columns[middle:], values[middle:], num_users)
        # Past torch, which would see each as a part of the other.
        object.__setattr__(self.of_users, "_transpose", self.of_items)
        object.__setattr__(self.of_items, "_transpose", self.of_users)

    def blocks(self, dense: Tensor) -> tuple[Tensor, ...]:
        """The rows of users and the rows of items."""
        return dense.tensor_split([self.num_users])

    def multiply_blocks(self, blocks: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        users, items = blocks
        return self.of_users.multiply(items), self.of_items.multiply(users)

    def block_rows(self, rows: tuple[Tensor, ...], blocks: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        users, items = blocks
        return self.of_users.multiply_rows(rows[0], items), self.of_items.multiply_rows(rows[1], users)

    def block_columns(self, rows: tuple[Tensor, ...], values: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        users, items = values
        return self.of_users.multiply_columns(rows[1], items), self.of_items.multiply_columns(rows[0], users)


def distinct_pairs(train: Interactions) -> tuple[Tensor, Tensor]:
    """Users and items of the interactions, each pair once, ascending: int64 (≤ E,) each."""
    keys = train.keys()
    users = torch.div(keys, train.num_items, rounding_mode="floor")
    return users, keys - users * train.num_items


def incidence(train: Interactions, kind: type[np.number] = np.float32) -> "sp.csr_array":
    """The binary matrix of users and items, sparse (U, I)."""
    import scipy.sparse as sp

    offsets, items = train.rows()
    shape = (train.num_users, train.num_items)
    return sp.csr_array((np.ones(len(items), dtype=kind), items.numpy(), offsets.numpy()), shape=shape)


def bipartite_adjacency(train: Interactions) -> Bipartite:
    """D^-1/2 A D^-1/2 of the user-item graph, users first, no self-loops: sparse (U+I, U+I), symmetric.

    LightGCN eq. 3 (He et al., SIGIR 2020). A node without an interaction has an empty row. A pair that occurs twice
    counts once.
    """
    users, items = distinct_pairs(train)
    items, num_nodes = items + train.num_users, train.num_users + train.num_items
    rows, columns = torch.cat([users, items]), torch.cat([items, users])
    degree = torch.bincount(rows, minlength=num_nodes).float()
    values = (degree[rows] * degree[columns]).rsqrt()
    matrix = SparseMatrix.of(rows, columns, values, (num_nodes, num_nodes))
    return Bipartite(matrix.offsets, matrix.columns, matrix.values, train.num_users)


def neighbor_means(train: Interactions) -> tuple[SparseMatrix, SparseMatrix]:
    """D^-1 A of the user-item graph, in two parts: users as means of items (U, I), items as means of users (I, U).

    A node without an interaction has an empty row.
    """
    users, items = distinct_pairs(train)
    shape = (train.num_users, train.num_items)
    return _means(users, items, shape), _means(items, users, shape[::-1])


def _means(rows: Tensor, columns: Tensor, shape: tuple[int, int]) -> SparseMatrix:
    return SparseMatrix.of(rows, columns, torch.bincount(rows).reciprocal()[rows], shape)
