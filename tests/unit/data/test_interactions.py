"""Interactions as tensors."""

import pytest
import torch

from viral.data.interactions import Interactions, Triplets
from worlds import interactions

LOG = interactions([(2, 1), (0, 3), (2, 0), (0, 3)], 4, 5)


def test_keys_are_distinct_and_ascending():
    assert LOG.keys().tolist() == [0 * 5 + 3, 2 * 5 + 0, 2 * 5 + 1]


def test_rows_by_user():
    offsets, items = LOG.rows()
    assert offsets.tolist() == [0, 1, 1, 3, 3]
    assert items.tolist() == [3, 0, 1]


def test_degrees_count_every_row():
    assert LOG.user_degrees().tolist() == [2, 0, 2, 0]
    assert LOG.item_degrees().tolist() == [1, 1, 0, 2, 0]
    assert len(LOG) == 4


def test_union():
    both = LOG.union(interactions([(1, 4)], 4, 5))
    assert both.keys().tolist() == [3, 9, 10, 11]
    assert (both.num_users, both.num_items) == (4, 5)


def test_nothing():
    offsets, items = interactions([], 3, 2).rows()
    assert offsets.tolist() == [0, 0, 0, 0] and items.tolist() == []


@pytest.mark.parametrize("pairs", [[(4, 0)], [(0, 5)], [(-1, 0)], [(0, -1)]])
def test_an_index_out_of_range_is_refused(pairs):
    with pytest.raises(ValueError, match=r"index lies outside \[0, [45]\)"):
        interactions(pairs, 4, 5)


def test_columns_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="differ in length"):
        Interactions(torch.tensor([0, 1]), torch.tensor([0]), 3, 3)


def test_triplets_move_whole():
    moved = Triplets(torch.tensor([1]), torch.tensor([2]), torch.tensor([3])).to("cpu")
    assert (len(moved), moved.users.item(), moved.positives.item(), moved.negatives.item()) == (1, 1, 2, 3)
