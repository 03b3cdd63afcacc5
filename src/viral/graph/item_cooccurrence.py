"""The item-item graph by co-occurrence: which items the same users chose, by a sparse product in blocks of items."""

from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F

from viral.data.interactions import Interactions
from viral.graph.blocks import work_blocks
from viral.graph.functions.sparse import SparseMatrix
from viral.graph.user_item_graph import incidence

if TYPE_CHECKING:
    import scipy.sparse as sp

SHRINKAGE = 10.0  # common users that are added to the denominator: few of them say little
BLOCK_ENTRIES = 4_000_000  # of a block of the product, about


def cooccurrence_graph(train: Interactions, k: int) -> SparseMatrix:
    """Mean over the k items j of largest c_ij / (√(d_i d_j) + 10), c_ij common users, d users: sparse (I, I).

    An item with fewer than k such items has the mean over those, one with none an empty row. Ties go to the lower
    index. The measure is the cosine of implicit feedback, shrunk as in Bell & Koren (ICDM 2007).
    """
    matrix = incidence(train)
    transposed, degrees = matrix.T.tocsr(), matrix.sum(axis=0)
    work = transposed @ np.diff(matrix.indptr).astype(np.float64)  # entries of each row of the product, repeats counted
    counts, columns = [], []
    for start, stop in work_blocks(work, BLOCK_ENTRIES):
        found = _largest(transposed[start:stop] @ matrix, start, degrees, k)
        counts.append(found[0])
        columns.append(found[1])
    lengths = torch.from_numpy(np.concatenate(counts)) if counts else torch.zeros(0, dtype=torch.int64)
    values = lengths.clamp(min=1).reciprocal().repeat_interleave(lengths)
    flat = torch.from_numpy(np.concatenate(columns)) if columns else torch.zeros(0, dtype=torch.int64)
    return SparseMatrix(F.pad(lengths.cumsum(0), (1, 0)), flat, values, train.num_items)


def _largest(product: "sp.csr_array", start: int, degrees: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Of rows of XᵀX from item ``start`` on: how many of the k best there are (n,), and which, ascending in a row."""
    num_rows = product.shape[0]
    rows = np.repeat(np.arange(num_rows), np.diff(product.indptr))
    other = product.indices != rows + start
    rows, found, common = rows[other], product.indices[other].astype(np.int64), product.data[other]
    likeness = common / (np.sqrt(degrees[rows + start] * degrees[found]) + SHRINKAGE)
    order = np.lexsort((found, -likeness, rows))
    rows, found = rows[order], found[order]
    lengths = np.bincount(rows, minlength=num_rows)
    places = np.arange(len(rows)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    rows, found = rows[places < k], found[places < k]
    return np.minimum(lengths, k), found[np.lexsort((found, rows))]
