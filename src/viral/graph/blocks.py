"""Rows worked off in blocks, where a table of all of them against all items must never be whole."""

BLOCK_ENTRIES = 1 << 21  # of one table: 8 MB in float32, of which a handful exist at once


def row_blocks(num_rows: int, width: int) -> list[slice]:
    """Slices of at most ``BLOCK_ENTRIES`` entries, and at least one row, over ``num_rows`` rows of ``width``."""
    size = max(1, BLOCK_ENTRIES // max(1, width))
    return [slice(start, start + size) for start in range(0, num_rows, size)]
