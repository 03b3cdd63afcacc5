"""The one place where sparse matrices are multiplied.

On a CPU a product with a compressed-row matrix is a weighted ``embedding_bag``: every output row is a weighted sum of
rows of the dense factor. That kernel is an order of magnitude faster than torch's COO product (``make bench`` measures
both). On other devices torch's own compressed-row product is used.
"""

import warnings
from typing import Any, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FEW = 32  # rows that are fewer than this part of all are multiplied alone: below it, picking them out costs more


class SparseMatrix(nn.Module):
    """A constant sparse matrix (R, C) in compressed rows; ``matrix @ x`` is differentiable in ``x``.

    It is a module so that it moves with the model that holds it; its buffers are not part of a state dict, because
    graphs are rebuilt from the data. ``symmetric`` promises A = Aᵀ, so the backward pass needs no transpose.
    """

    offsets: Tensor  # (R+1,) int32: row r owns entries offsets[r] … offsets[r+1]
    columns: Tensor  # (nnz,) int32
    values: Tensor  # (nnz,) float32

    def __init__(
        self, offsets: Tensor, columns: Tensor, values: Tensor, num_columns: int, *, symmetric: bool = False
    ) -> None:
        super().__init__()
        self.shape = (len(offsets) - 1, num_columns)
        self.symmetric = symmetric
        self.register_buffer("offsets", offsets.to(torch.int32), persistent=False)
        self.register_buffer("columns", columns.to(torch.int32), persistent=False)
        self.register_buffer("values", values, persistent=False)
        self._transpose: SparseMatrix | None = None

    @classmethod
    def of(
        cls, rows: Tensor, columns: Tensor, values: Tensor, shape: tuple[int, int], *, symmetric: bool = False
    ) -> Self:
        """From entries in any order (nnz,); entries at the same place are added by every product."""
        order = torch.argsort(rows * shape[1] + columns, stable=True)
        offsets = torch.zeros(shape[0] + 1, dtype=torch.int64, device=rows.device)
        offsets[1:] = torch.bincount(rows, minlength=shape[0]).cumsum(0)
        return cls(offsets, columns[order], values[order], shape[1], symmetric=symmetric)

    @classmethod
    def empty(cls, size: int) -> Self:
        """A square matrix without entries."""
        nothing = torch.zeros(0)
        return cls(torch.zeros(size + 1), nothing, nothing, size)

    def __matmul__(self, dense: Tensor) -> Tensor:
        """(R, C) @ (C, D) -> (R, D)."""
        result: Tensor = _Product.apply(dense, self)
        return result

    def multiply(self, dense: Tensor) -> Tensor:
        """The product itself, outside autograd."""
        if dense.device.type == "cpu":
            return F.embedding_bag(
                self.columns, dense.contiguous(), self.offsets, mode="sum", per_sample_weights=self.values,
                include_last_offset=True,
            )  # fmt: skip
        return self.to_torch() @ dense

    def to_torch(self) -> Tensor:
        """The same matrix as a torch compressed-row tensor."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Sparse", category=UserWarning)
            return torch.sparse_csr_tensor(self.offsets, self.columns, self.values, self.shape)

    def rows(self, chosen: Tensor) -> "SparseMatrix":
        """The matrix of the rows ``chosen`` (n,), in that order and as often: (n, C)."""
        starts, lengths = self.offsets[chosen], self.offsets.diff()[chosen]
        offsets = F.pad(lengths.cumsum(0), (1, 0))
        shifts = (starts - offsets[:-1]).repeat_interleave(lengths)
        places = torch.arange(len(shifts), device=shifts.device) + shifts
        return SparseMatrix(offsets, self.columns[places], self.values[places], self.shape[1])

    def blocks(self, dense: Tensor) -> tuple[Tensor, ...]:
        """Views of a table of R rows by the blocks in which :meth:`multiply_blocks` works: here one."""
        return (dense,)

    def multiply_blocks(self, blocks: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """The product of a square matrix with a table that is given, and returned, in blocks of rows."""
        return (self.multiply(*blocks),)

    def block_rows(self, rows: tuple[Tensor, ...], blocks: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Some rows of :meth:`multiply_blocks`: (n_b,) int64 of each block, counted within it -> (n_b, D) …."""
        return (self.multiply_rows(*rows, *blocks),)

    def block_columns(self, rows: tuple[Tensor, ...], values: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """:meth:`multiply_blocks` of a table that is zero but in rows (n_b,) of each block, with (n_b, D) there."""
        return (self.multiply_columns(*rows, *values),)

    def multiply_rows(self, rows: Tensor, dense: Tensor) -> Tensor:
        """Rows (n,) of the product with (C, D): (n, D). Where they are few, no other is computed."""
        if len(rows) * FEW < self.shape[0]:
            return self.rows(rows).multiply(dense)
        return self.multiply(dense).index_select(0, rows)

    def multiply_columns(self, columns: Tensor, values: Tensor) -> Tensor:
        """The product with a table that is zero but in rows ``columns`` (n,): sums of ``values`` (n, D) there."""
        if len(columns) * FEW < self.shape[1]:
            return self.transpose.rows(columns).transpose.multiply(values)
        return self.multiply(values.new_zeros(self.shape[1], values.shape[1]).index_add_(0, columns, values))

    def entries(self) -> tuple[Tensor, Tensor, Tensor]:
        """Rows, columns and values of the stored entries: int64, int64, float (nnz,)."""
        lengths = self.offsets.diff().long()
        rows = torch.repeat_interleave(torch.arange(self.shape[0], device=lengths.device), lengths)
        return rows, self.columns.long(), self.values

    @property
    def transpose(self) -> "SparseMatrix":
        """Aᵀ, built at first use and kept."""
        if self.symmetric:
            return self
        if self._transpose is None:
            self._transpose = self._turned()
        return self._transpose

    def _turned(self) -> "SparseMatrix":
        if self.values.device.type != "cpu":
            rows, columns, values = self.entries()
            return SparseMatrix.of(columns, rows, values, (self.shape[1], self.shape[0]))
        import scipy.sparse as sp

        # a batch's rows are turned in every step, and scipy counts entries where ``of`` sorts them
        parts = (part.numpy() for part in (self.values, self.columns, self.offsets))
        turned = sp.csr_array(tuple(parts), shape=self.shape).tocsc()
        offsets, columns, values = map(torch.from_numpy, (turned.indptr, turned.indices, turned.data))
        return SparseMatrix(offsets, columns, values, self.shape[0])


class _Product(torch.autograd.Function):
    """A X, whose gradient is Aᵀ G."""

    @staticmethod
    def forward(ctx: Any, dense: Tensor, matrix: SparseMatrix) -> Tensor:
        ctx.matrix = matrix
        return matrix.multiply(dense)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return ctx.matrix.transpose.multiply(gradient), None
