"""The item-item Gram matrix that the closed-form models share, behind a guard on its size, and their solution.

All of it happens in one table: the Gram matrix becomes its factor, the factor the inverse, the inverse the weights.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from viral.base.errors import DataError, UsageError
from viral.base.progress import say
from viral.data.interactions import Interactions
from viral.graph.blocks import row_blocks

if TYPE_CHECKING:
    import scipy.sparse as sp

MAX_BYTES = 4_000_000_000
TOLD_ABOVE = 100_000_000  # bytes: less is not worth a line


def fits_dense(num_items: int) -> bool:
    """Whether a dense float32 (I, I) takes no more than ``MAX_BYTES``."""
    return 4 * num_items**2 <= MAX_BYTES


def check_dense(num_items: int, *, hint: str = "use a model without one, such as lightgcn or viral") -> None:
    """Say what a dense float32 (I, I) will take; raise ``DataError`` where that is more than ``MAX_BYTES``."""
    needed = 4 * num_items**2
    if needed > MAX_BYTES:
        raise DataError(
            f"{num_items:,} items need a dense item-item matrix of {needed / 1e9:.0f} GB"
            f" (the limit is {MAX_BYTES / 1e9:.0f} GB)",
            hint=hint,
        )
    if needed > TOLD_ABOVE:
        say(f"memory: {needed / 1e9:.2f} GB to come for a matrix of {num_items:,} by {num_items:,} items")


def item_gram(train: Interactions, user_weights: Tensor | None = None) -> Tensor:
    """XᵀX of the binary user-item matrix: dense float32 (I, I), users who took both i and j, each of its weight (U,).

    Raises ``DataError`` where that is larger than :func:`check_dense` allows.
    """
    check_dense(train.num_items)
    gram = torch.empty(train.num_items, train.num_items)
    for rows, counts in gram_rows(train, user_weights):
        counts.toarray(out=gram[rows].numpy())
    return gram


def gram_rows(train: Interactions, user_weights: Tensor | None = None) -> Iterator[tuple[slice, "sp.csr_array"]]:
    """XᵀX in blocks of rows, each sparse; Xᵀ diag(w) X where users count ``user_weights`` (U,) float32 instead of 1."""
    import scipy.sparse as sp

    offsets, items = train.rows()
    ones = np.ones(len(items), dtype=np.float32)
    matrix = sp.csr_array((ones, items.numpy(), offsets.numpy()), shape=(train.num_users, train.num_items))
    transposed = matrix.T.tocsr()
    if user_weights is not None:
        matrix.data = user_weights.numpy().repeat(offsets.diff().numpy())
    for rows in row_blocks(train.num_items, train.num_items):
        yield rows, transposed[rows] @ matrix


def strongest(weights: Tensor, rows: slice, num_neighbors: int) -> tuple[Tensor, Tensor, Tensor]:
    """The largest weights above 0 of each item of a block (b, I) to others: items, other items, values, (n,) each.

    All that are as large as the last that is kept are kept, so that the order of the catalogue decides nothing.
    """
    weights.diagonal(rows.start).zero_()
    least = weights.topk(min(num_neighbors, weights.shape[1]), dim=1).values[:, -1:]  # (b, 1): that of the k-th
    items, near = ((weights >= least) & (weights > 0)).nonzero(as_tuple=True)
    return items + rows.start, near, weights[items, near]


def solve_without_diagonal(gram: Tensor, reg_weight: float, *, where: str) -> Tensor:
    """B = I - P diag(1/diag P) with P = (G + λI)⁻¹: the B of least ‖Z - ZB‖² + λ‖B‖² with diag(B) = 0, G = ZᵀZ.

    Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019, eq. 8. Overwrites ``gram`` (I, I) and
    returns it. Raises ``UsageError`` at ``where`` where G + λI is not positive definite.
    """
    gram.diagonal().add_(reg_weight)
    columns = gram.T  # LAPACK goes by columns; what is symmetric is the same by rows
    failed = torch.linalg.cholesky_ex(columns, out=(columns, torch.empty(0, dtype=torch.int32))).info
    if failed:
        raise UsageError(f"reg_weight = {reg_weight} is too small to solve for", where=where)
    torch.cholesky_inverse(columns, out=columns)  # P, both triangles
    return gram.div_(-gram.diagonal().clone()).fill_diagonal_(0)  # B off the diagonal; column j by P_jj
