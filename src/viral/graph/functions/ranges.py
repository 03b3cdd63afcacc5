"""A sparse matrix times a table that the cache cannot hold. Shapes: R rows, C columns, D embedding dimension."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from viral.graph.functions.sparse import SparseMatrix

CACHED_BYTES = 1 << 24  # of the dense factor at once
LEAST_ENTRIES = 16  # of a row in a range, on average: with fewer, adding up the ranges costs more than it saves


class RangedMatrix(SparseMatrix):
    """A matrix of long rows, which are summed range by range of their columns.

    Every row gathers from all over the dense factor. Where that is beyond the cache, all rows first gather from one
    range of it, which stays there meanwhile, then from the next. Sums are rounded in another order, that is all. The
    ranges are kept, so this is for matrices that are multiplied again and again.
    """

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._ranges: dict[int, list[tuple[slice, SparseMatrix]]] = {}

    def multiply(self, dense: Tensor) -> Tensor:
        wanted = -(-dense.nbytes // CACHED_BYTES)
        count = min(wanted, len(self.values) // max(1, LEAST_ENTRIES * self.shape[0]))
        if count < 2 or dense.device.type != "cpu":
            return super().multiply(dense)
        (rows, first), *others = self.ranges(count)
        total = first.multiply(dense[rows])
        for rows, part in others:
            total += part.multiply(dense[rows])
        return total

    def ranges(self, count: int) -> list[tuple[slice, SparseMatrix]]:
        """The matrix in ``count`` ranges of columns, each with its place among them; built at first use and kept."""
        if count not in self._ranges:
            rows, columns, values = self.entries()
            width = -(-self.shape[1] // count)
            self._ranges[count] = []
            for start in range(0, self.shape[1], width):
                stop = min(start + width, self.shape[1])
                kept = (columns >= start) & (columns < stop)
                offsets = F.pad(torch.bincount(rows[kept], minlength=self.shape[0]).cumsum(0), (1, 0))
                part = SparseMatrix(offsets, columns[kept] - start, values[kept], stop - start)
                self._ranges[count].append((slice(start, stop), part))
        return self._ranges[count]
