"""Rows in blocks: all of them, once, and never more entries than were allowed."""

import pytest
import torch

from viral.graph import approximate_neighbors as inverted
from viral.graph import blocks
from viral.graph.blocks import BLOCK_ENTRIES, row_blocks


@pytest.mark.parametrize(("rows", "width", "size"), [(10, 3, 2), (10, 7, 1), (10, 100, 1), (0, 3, 2), (4, 0, 4)])
def test_every_row_is_in_one_block_of_the_allowed_size(rows, width, size, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_ENTRIES", 7)
    found = [list(range(rows))[block] for block in row_blocks(rows, width)]
    assert [row for block in found for row in block] == list(range(rows))
    assert max(map(len, found), default=size) == size


def test_a_handful_of_tables_is_below_64_megabytes():
    assert 6 * 4 * BLOCK_ENTRIES < 64e6


class Index:
    """An index that finds what is asked of it: neighbours ``far`` places from the nearest."""

    nprobe = 1

    def __init__(self, exact, far):
        self.exact, self.far, self.asked = exact, far, []

    def search(self, rows, k):
        self.asked.append(self.nprobe)
        return None, self.exact.roll(self.far if self.nprobe < 32 else 0, dims=1)[:, :k].numpy()


@pytest.mark.parametrize("entries", [1, 1000, 10**9])
def test_the_recall_of_inverted_lists_is_that_of_whole_rows(entries, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_ENTRIES", entries)
    known = torch.nn.functional.normalize(torch.randn(60, 5, generator=torch.Generator().manual_seed(0)), dim=1)
    exact = (known @ known.T).topk(60).indices
    index = Index(exact, far=1)
    assert inverted._probe(index, known, 4, 1000) == 1.0
    assert index.asked == [16, 32]  # three of four are not enough
