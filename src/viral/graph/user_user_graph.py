"""The user-user graph: who chose the same items, by a sparse product, never a loop over pairs."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from viral.data.interactions import Interactions
from viral.graph.blocks import work_blocks
from viral.graph.functions.sparse import SparseMatrix
from viral.graph.user_item_graph import incidence

if TYPE_CHECKING:
    import scipy.sparse as sp

IntArray = npt.NDArray[np.int64]
BLOCK_ENTRIES = 1_000_000  # co-occurrence counts held at once, about: they are sorted in the cache


@dataclass(frozen=True, slots=True, eq=False)
class UserNeighbors:
    """The users most like each user: rows sorted by falling count, ties by user index; unused places have count 0."""

    indices: Tensor  # (U, K) int64
    counts: Tensor  # (U, K) float32: |N_u ∩ N_u'|
    sizes: Tensor  # (U,) int64: places in use


def user_neighbors(train: Interactions, k: int) -> UserNeighbors:
    """The k users who share the most training items with each user (DualGNN, Wang et al., TMM 2021).

    R Rᵀ is computed in blocks of users and cut to k per row at once, so memory follows the block, not U². A block's
    entries are ordered by sorting one integer each, made of row, falling count and column.
    """
    matrix = incidence(train, np.int32)
    transposed = matrix.T.tocsr()
    bits = Bits(int(np.diff(matrix.indptr).max(initial=0)).bit_length(), max(1, train.num_users).bit_length())
    indices = np.zeros((train.num_users, k), dtype=np.int64)
    counts = np.zeros((train.num_users, k), dtype=np.float32)
    sizes = np.zeros(train.num_users, dtype=np.int64)
    work = matrix @ np.diff(transposed.indptr).astype(np.float64)  # entries of each row of R Rᵀ, repeats counted
    for start, stop in work_blocks(work, BLOCK_ENTRIES):
        product = matrix[start:stop] @ transposed
        keys = np.sort(_keys(product, start, bits))
        others = np.maximum(np.diff(product.indptr) - 1, 0)  # the last key of a row is that of the user itself
        unused = np.arange(k) >= others[:, None]  # (b, K)
        best = keys.take(product.indptr[:-1, None] + np.arange(k), mode="clip")
        best[unused] = bits.count_mask << bits.of_column  # index 0, count 0
        np.bitwise_and(best, bits.column_mask, out=indices[start:stop])
        np.subtract(bits.count_mask, best >> bits.of_column & bits.count_mask, out=counts[start:stop], casting="unsafe")
        sizes[start:stop] = np.minimum(others, k)
    return UserNeighbors(torch.from_numpy(indices), torch.from_numpy(counts), torch.from_numpy(sizes))


class Bits(NamedTuple):
    """How many bits of a sorted integer are a count, and how many a column; the row is in those above."""

    of_count: int
    of_column: int

    @property
    def count_mask(self) -> int:
        return (1 << self.of_count) - 1

    @property
    def column_mask(self) -> int:
        return (1 << self.of_column) - 1


def _keys(product: "sp.csr_array", start: int, bits: Bits) -> IntArray:
    """The entries of a block of R Rᵀ as integers that sort by row, falling count, column; the diagonal's come last."""
    rows = np.repeat(np.arange(product.shape[0], dtype=np.int64), np.diff(product.indptr))
    keys = (bits.count_mask - product.data.astype(np.int64)) << bits.of_column
    keys |= product.indices
    own = product.indices == rows + start
    keys[own] = (1 << bits.of_count + bits.of_column) - 1
    keys |= rows << bits.of_count + bits.of_column
    return keys


def user_graph(neighbors: UserNeighbors, k: int) -> SparseMatrix:
    """Attention to each user's first k neighbours by softmax over the raw counts: sparse (U, U).

    A user with fewer than k neighbours spreads the weight over those; a user with none has an empty row.
    """
    k = min(k, neighbors.indices.shape[1])
    used = torch.arange(k) < neighbors.sizes[:, None]  # (U, k)
    logits = neighbors.counts[:, :k].masked_fill(~used, -torch.inf)
    weights = torch.nan_to_num(torch.softmax(logits, dim=1))
    rows = torch.arange(len(used))[:, None].expand_as(used)[used]
    return SparseMatrix.of(rows, neighbors.indices[:, :k][used], weights[used], (len(used), len(used)))


def resampled_user_graph(neighbors: UserNeighbors, k: int, rng: torch.Generator) -> SparseMatrix:
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
