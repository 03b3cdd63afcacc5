"""Nearest items by cosine: exact, in tiles of which each serves both of its sides; inverted lists where that is long.

Shapes: I items, F features, K neighbours kept.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from viral.base.progress import say
from viral.graph.approximate_neighbors import inverted_lists

TILE = 2048  # items on either side of a block of similarities: 16 MB, which stay in the cache
APPROXIMATE_ABOVE = 100_000  # items; up to there exact products are as quick as faiss at a recall of 0.99


def nearest_neighbors(
    features: Tensor, k: int, present: Tensor | None = None, *, approximate_above: int | None = None
) -> tuple[Tensor, Tensor]:
    """The k items most similar by cosine, the item itself first: similarities and indices (I, min(k, I)).

    An item that is not ``present`` (I,) has filled-in features, which say nothing: it is near to nobody but itself.
    Where fewer than k are near, the similarity of the rest is -∞. Exact for up to ``approximate_above`` items (100,000
    unless given); for more, inverted lists whose measured recall is reported, or exact after all where faiss is not
    installed or would not be quicker. Never more than a tile of the I × I similarities exists at once.
    """
    unit = F.normalize(features, dim=-1)
    k = min(k, len(unit))
    if len(unit) > (APPROXIMATE_ABOVE if approximate_above is None else approximate_above):
        found = inverted_lists(unit, k, present)
        if found is not None:
            return found
        say(f"exact neighbours of {len(unit):,} items: {2 * unit.shape[1] * len(unit) ** 2 / 2e12:,.0f} TFLOP")
    best = TopColumns(len(unit), k, unit)
    for first in range(0, len(unit), TILE):
        for second in range(first, len(unit), TILE):
            tile = unit[first : first + TILE] @ unit[second : second + TILE].T
            if present is not None and not present.all():
                here = present[first : first + TILE, None] & present[second : second + TILE]
                tile.masked_fill_(~here, -torch.inf)
            if first == second:
                tile.fill_diagonal_(torch.inf)  # an item is its own neighbour even among exact copies
            else:
                best.offer(tile.T.contiguous(), first, second)
            best.offer(tile, second, first)
    return best.values.clamp_(max=1.0), best.columns


class TopColumns:
    """The k largest that every row has met so far, of a table that comes in blocks."""

    def __init__(self, num_rows: int, k: int, like: Tensor) -> None:
        self.values = like.new_full((num_rows, k), -torch.inf)
        self.columns = torch.zeros(num_rows, k, dtype=torch.int64, device=like.device)

    def offer(self, block: Tensor, first_column: int, first_row: int = 0) -> None:
        """The block (n, m) of the table that begins there."""
        rows = slice(first_row, first_row + len(block))
        values, columns = self.values[rows], self.columns[rows]
        top = block.topk(min(values.shape[1], block.shape[1]))
        both = torch.cat([values, top.values], dim=1).topk(values.shape[1])
        columns.copy_(torch.cat([columns, top.indices + first_column], dim=1).gather(1, both.indices))
        values.copy_(both.values)
