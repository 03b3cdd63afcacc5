"""The user-user graph: who chose the same items, by a sparse product, never a loop over pairs."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from viral.data import Interactions
from viral.graph.sparse import SparseMatrix

BLOCK_ENTRIES = 20_000_000  # co-occurrence counts held at once, about


@dataclass(frozen=True, slots=True, eq=False)
class Neighbors:
    """The users most like each user: rows sorted by falling count, ties by user index; unused places have count 0."""

    indices: Tensor  # (U, K) int64
    counts: Tensor  # (U, K) float32: |N_u ∩ N_u'|
    sizes: Tensor  # (U,) int64: places in use


def co_occurrence(train: Interactions, k: int) -> Neighbors:
    """The k users who share the most training items with each user (DualGNN, Wang et al., TMM 2021).

    R Rᵀ is computed in blocks of users and cut to k per row at once, so memory follows the block, not U².
    """
    offsets, items = train.rows()
    shape = (train.num_users, train.num_items)
    matrix = sp.csr_array((np.ones(len(items), dtype=np.float32), items.numpy(), offsets.numpy()), shape=shape)
    transposed = matrix.T.tocsr()
    indices = np.zeros((train.num_users, k), dtype=np.int64)
    counts = np.zeros((train.num_users, k), dtype=np.float32)
    for start, stop in _blocks(matrix, transposed):
        rows, columns, values = _block_entries(matrix[start:stop] @ transposed, start)
        order = np.lexsort((columns, -values, rows))
        rows, columns, values = rows[order], columns[order], values[order]
        first = np.searchsorted(rows, np.arange(stop - start))
        rank = np.arange(len(rows)) - first[rows]
        kept = rank < k
        indices[rows[kept] + start, rank[kept]] = columns[kept]
        counts[rows[kept] + start, rank[kept]] = values[kept]
    return Neighbors(torch.from_numpy(indices), torch.from_numpy(counts), torch.from_numpy((counts > 0).sum(axis=1)))


def _blocks(matrix: sp.csr_array, transposed: sp.csr_array) -> list[tuple[int, int]]:
    """Ranges of users whose products together stay near ``BLOCK_ENTRIES``."""
    work = matrix @ np.diff(transposed.indptr).astype(np.float64)  # entries of each row of R Rᵀ, repeats counted
    limits = np.searchsorted(np.cumsum(work), np.arange(BLOCK_ENTRIES, work.sum() + BLOCK_ENTRIES, BLOCK_ENTRIES))
    edges = sorted({0, *(int(limit) for limit in limits if limit < len(work)), len(work)})
    return list(pairwise(edges))


def _block_entries(product: sp.csr_array, start: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, columns and counts of a block of R Rᵀ without its diagonal."""
    entries = product.tocoo()
    off_diagonal = entries.row + start != entries.col
    return entries.row[off_diagonal], entries.col[off_diagonal], entries.data[off_diagonal]


def user_graph(neighbors: Neighbors, k: int) -> SparseMatrix:
    """Attention to each user's first k neighbours by softmax over the raw counts: sparse (U, U).

    A user with fewer than k neighbours spreads the weight over those; a user with none has an empty row.
    """
    k = min(k, neighbors.indices.shape[1])
    used = torch.arange(k) < neighbors.sizes[:, None]  # (U, k)
    logits = neighbors.counts[:, :k].masked_fill(~used, -torch.inf)
    weights = torch.nan_to_num(torch.softmax(logits, dim=1))
    rows = torch.arange(len(used))[:, None].expand_as(used)[used]
    return SparseMatrix.of(rows, neighbors.indices[:, :k][used], weights[used], (len(used), len(used)))


def resampled_user_graph(neighbors: Neighbors, k: int, rng: torch.Generator) -> SparseMatrix:
    """``user_graph`` with short lists padded to k by drawing from the list with replacement, as DRAGON's code does.

    A neighbour drawn twice counts twice in the softmax; drawn anew every epoch, this is a regulariser.
    """
    num_users = len(neighbors.sizes)
    k = min(k, neighbors.indices.shape[1])
    connected = neighbors.sizes > 0
    sizes = neighbors.sizes.clamp(min=1)
    draws = (torch.rand(num_users, k, generator=rng) * sizes[:, None]).long().clamp_(max=k - 1)
    places = torch.where(torch.arange(k) < sizes[:, None], torch.arange(k), draws)  # (U, k)
    weights = torch.softmax(neighbors.counts.gather(1, places), dim=1)
    rows = torch.arange(num_users)[:, None].expand(-1, k)[connected].flatten()
    columns = neighbors.indices.gather(1, places)[connected].flatten()
    return SparseMatrix.of(rows, columns, weights[connected].flatten(), (num_users, num_users))
