"""Linear item-item weights in closed form: the Gram matrix, behind a guard on its size, and the solutions.

The dense ones happen in one table: the Gram matrix becomes its factor, the factor the inverse, the inverse the weights.
Shapes: U users, I items, F features, M modalities.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from viral.base.errors import DataError, UsageError
from viral.base.progress import say
from viral.data.inputs import ModelInputs
from viral.data.interactions import Interactions
from viral.graph.blocks import row_blocks
from viral.graph.user_item_graph import incidence

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
    """XᵀX of the binary user-item matrix: dense float32 (I, I), users who chose both i and j, each of its weight (U,).

    Raises ``DataError`` where that is larger than :func:`check_dense` allows.
    """
    check_dense(train.num_items)
    gram = torch.empty(train.num_items, train.num_items)
    for rows, counts in gram_rows(train, user_weights):
        counts.toarray(out=gram[rows].numpy())
    return gram


def gram_rows(train: Interactions, user_weights: Tensor | None = None) -> Iterator[tuple[slice, "sp.csr_array"]]:
    """XᵀX in blocks of rows, each sparse; Xᵀ diag(w) X where users count ``user_weights`` (U,) float32 instead of 1."""
    matrix = incidence(train)
    transposed = matrix.T.tocsr()
    if user_weights is not None:
        matrix.data = user_weights.numpy().repeat(np.diff(matrix.indptr))
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


class Penalties(Protocol):
    """What holds the weights back, as configurations have it."""

    @property
    def reg_weight(self) -> float: ...  # λ

    @property
    def feature_weight(self) -> float | None: ...  # β: how strongly W is drawn to S; None: not at all

    @property
    def feature_reg(self) -> float: ...  # λ of S

    @property
    def user_power(self) -> float: ...  # a

    @property
    def dropout(self) -> float: ...  # p


def item_weights(inputs: ModelInputs, modalities: Sequence[str], by: Penalties) -> Tensor:
    """W (I, I) = P (G + β S) - P diag(γ), P = (G + Λ)⁻¹, γ so that the diagonal is 0.

    G = Xᵀ D X with users weighed D = diag((n_u / mean n)^-a), Λ = diag(λ + β + p/(1-p) G_ii), and S the EASE of
    ``modalities`` (:func:`feature_weights`). Without any, β is 0: EASE with these options. Raises ``DataError`` where
    the matrix is larger than check_dense allows.
    """
    gram = weighted_gram(inputs.train, by.user_power)
    target = gram.clone()
    extra = by.reg_weight + by.dropout / (1 - by.dropout) * gram.diagonal()
    if modalities and by.feature_weight:
        extra += by.feature_weight
        target.add_(feature_weights(inputs, modalities, by.feature_reg), alpha=by.feature_weight)
    inverse = _inverse(gram, extra)
    weights = inverse @ target
    return weights.sub_(inverse.mul_(weights.diagonal() / inverse.diagonal())).fill_diagonal_(0)


def feature_weights(inputs: ModelInputs, modalities: Sequence[str], reg_weight: float) -> Tensor:
    """S (I, I): what features of items say for one another, EASE of K = 1/M Σ_m F_m F_mᵀ, rows of F_m at unit length.

    A row without features is 0.
    """
    kernel = torch.zeros(inputs.train.num_items, inputs.train.num_items)
    for name in modalities:
        x = F.normalize(inputs.feature(name), dim=1) * inputs.given(name)[:, None]
        kernel.addmm_(x, x.T, alpha=1 / len(modalities))
    return solve_without_diagonal(kernel, reg_weight, where="feature_reg")


def user_weights(train: Interactions, power: float) -> Tensor:
    """(n_u / mean n)^-a of every user: float32 (U,)."""
    lengths = train.rows()[0].diff().clamp(min=1).double()
    return (lengths / lengths.mean()).pow(-power).float()


def weighted_gram(train: Interactions, user_power: float) -> Tensor:
    """Xᵀ diag((n_u / mean n)^-a) X of the binary user-item matrix: dense float32 (I, I)."""
    return item_gram(train, user_weights(train, user_power))


def _inverse(gram: Tensor, extra: Tensor) -> Tensor:
    """(G + diag(extra))⁻¹, in the place of ``gram``."""
    gram.diagonal().add_(extra)
    factor, failed = torch.linalg.cholesky_ex(gram)
    if failed:
        raise UsageError("reg_weight is too small to solve for", where="item-item weights")
    return torch.cholesky_inverse(factor)
