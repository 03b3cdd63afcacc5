"""A sparse matrix read as a table."""

import torch
from torch import Tensor

from viral.graph import SparseMatrix


class SparseTable:
    """A sparse matrix (R, C) of which only the rows that are asked for become dense."""

    def __init__(self, matrix: SparseMatrix) -> None:
        self.matrix, self.shape = matrix, matrix.shape

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Tensor | int) -> Tensor:
        """Rows (…) int64 or bool (R,) -> (…, C)."""
        asked = torch.as_tensor(rows, device=self.matrix.values.device)
        if asked.dtype == torch.bool:
            asked = asked.nonzero().squeeze(1)
        owners, columns, values = self.matrix.rows(asked.reshape(-1)).entries()
        found = values.new_zeros(asked.numel(), self.shape[1])
        return found.index_put_((owners, columns), values).view(*asked.shape, self.shape[1])

    def __matmul__(self, dense: Tensor) -> Tensor:
        """The product with (C,) or (C, D)."""
        product = self.matrix.multiply(dense.reshape(len(dense), -1))
        return product.view(len(self), *dense.shape[1:])

    def norms(self) -> Tensor:
        """The rows' lengths: (R,)."""
        rows, _, values = self.matrix.entries()
        return values.new_zeros(len(self)).index_add_(0, rows, values.square()).sqrt_()
