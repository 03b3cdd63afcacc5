"""Rows worked off in blocks, where a table of all of them must never be whole."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

BLOCK_ENTRIES = 1 << 21  # of one table: 8 MB in float32, of which a handful exist at once


def row_blocks(num_rows: int, width: int) -> list[slice]:
    """Slices of at most ``BLOCK_ENTRIES`` entries, and at least one row, over ``num_rows`` rows of ``width``."""
    size = max(1, BLOCK_ENTRIES // max(1, width))
    return [slice(start, start + size) for start in range(0, num_rows, size)]


def work_blocks(work: npt.NDArray[np.float64], most: int) -> list[tuple[int, int]]:
    """Ranges of rows whose ``work`` (n,) together stays near ``most``."""
    cuts = np.searchsorted(np.cumsum(work), np.arange(most, work.sum(), most))
    return list(pairwise(sorted({0, *cuts.tolist(), len(work)})))
