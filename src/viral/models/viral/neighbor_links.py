"""The graphs of users among users and of items among items, as one matrix over all nodes.

Shapes: U users, I items, N = U + I nodes, n nodes.
"""

import torch
import torch.nn.functional as F
from torch import nn

from viral.data.interactions import Interactions
from viral.graph import SparseMatrix, UserNeighbors, resampled_user_graph, user_graph, user_neighbors
from viral.models.viral.paper_config import VIRALConfig


class Links(nn.Module):
    """[[½ (1 + A_u), 0], [0, 1 + S]], (N, N): each user with the like-minded, each item with the similar ones.

    Without a user graph users stay as they are, and so do items by an S without entries. Rows of the matrix
    (``SparseMatrix.rows``) are all that a batch needs.
    """

    def __init__(self, of_users: SparseMatrix, item_graph: SparseMatrix) -> None:
        """``of_users`` is the whole block of the users (U, U), ``item_graph`` is S (I, I)."""
        super().__init__()
        self.item_graph = item_graph
        self.full = self.of_epoch = self.beside(of_users)

    def beside(self, of_users: SparseMatrix) -> SparseMatrix:
        """The whole matrix with another block of the users."""
        return block_diagonal(of_users, with_self(self.item_graph))

    def draw(self, rng: torch.Generator) -> None:
        """The same in every epoch."""

    def forward(self) -> SparseMatrix:
        """That of the epoch while training."""
        return self.of_epoch if self.training else self.full


class ResampledLinks(Links):
    """Short lists of like-minded users are padded to k anew in each epoch, as the authors' code does."""

    def __init__(self, neighbors: UserNeighbors, k: int, item_graph: SparseMatrix) -> None:
        super().__init__(with_self(user_graph(neighbors, k), 0.5), item_graph)
        self.neighbors, self.k = neighbors, k

    def draw(self, rng: torch.Generator) -> None:
        of_users = with_self(resampled_user_graph(self.neighbors, self.k, rng), 0.5)
        self.of_epoch = self.beside(of_users.to(self.full.values))


def links_of(config: VIRALConfig, train: Interactions, item_graph: SparseMatrix) -> Links:
    """The links of a configuration; ``item_graph`` is S (I, I)."""
    if not config.user_graph:
        return Links(with_self(SparseMatrix.empty(train.num_users)), item_graph)
    neighbors = user_neighbors(train, config.num_user_neighbors)
    if config.resample_user_graph:
        return ResampledLinks(neighbors, config.num_user_neighbors, item_graph)
    return Links(with_self(user_graph(neighbors, config.num_user_neighbors), 0.5), item_graph)


def with_self(graph: SparseMatrix, weight: float = 1.0) -> SparseMatrix:
    """``weight`` (1 + A), of A (n, n) the entry of a node with itself first in its row."""
    num_nodes = graph.shape[0]
    lengths = graph.offsets.diff().long() + 1
    offsets = F.pad(lengths.cumsum(0), (1, 0))
    columns = graph.columns.new_empty(len(graph.columns) + num_nodes)
    values = graph.values.new_full((len(columns),), weight)
    other = torch.ones_like(columns, dtype=torch.bool).index_fill_(0, offsets[:-1], False)
    columns[offsets[:-1]] = torch.arange(num_nodes, dtype=columns.dtype, device=columns.device)
    columns[other], values[other] = graph.columns, graph.values * weight
    return SparseMatrix(offsets, columns, values, num_nodes)


def block_diagonal(users: SparseMatrix, items: SparseMatrix) -> SparseMatrix:
    """[[A_u, 0], [0, A_i]] of (U, U) and (I, I): (N, N)."""
    shift, first = users.offsets[-1], users.shape[0]
    offsets = torch.cat([users.offsets, items.offsets[1:] + shift])
    columns = torch.cat([users.columns, items.columns + first])
    return SparseMatrix(offsets, columns, torch.cat([users.values, items.values]), first + items.shape[0])
