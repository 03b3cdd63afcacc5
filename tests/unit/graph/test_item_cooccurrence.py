"""The item graph by co-occurrence against a loop over all pairs."""

import math

import pytest
import torch

from viral.data.interactions import Interactions
from viral.graph import cooccurrence_graph
from worlds import interactions, random_world


def by_loops(train: Interactions, k: int) -> torch.Tensor:
    """(I, I): each row the mean over its k best, ties to the lower index."""
    users = [set() for _ in range(train.num_items)]
    for user, item in zip(train.users.tolist(), train.items.tolist(), strict=True):
        users[item].add(user)
    matrix = torch.zeros(train.num_items, train.num_items)
    for i, mine in enumerate(users):
        likeness = {
            j: len(mine & theirs) / (math.sqrt(len(mine) * len(theirs)) + 10)
            for j, theirs in enumerate(users)
            if j != i and mine & theirs
        }
        best = sorted(likeness, key=lambda j: (-likeness[j], j))[:k]
        for j in best:
            matrix[i, j] = 1 / len(best)
    return matrix


@pytest.mark.parametrize("k", [1, 3, 50])
@pytest.mark.parametrize("entries", [5, 4_000_000])
def test_it_is_what_loops_find(k, entries, monkeypatch):
    monkeypatch.setattr("viral.graph.item_cooccurrence.BLOCK_ENTRIES", entries)
    train = random_world(30, 20, 0.15, seed=2).split.train
    torch.testing.assert_close(cooccurrence_graph(train, k) @ torch.eye(20), by_loops(train, k))


def test_items_that_nobody_shares_have_empty_rows():
    train = interactions([(0, 0), (0, 1), (1, 2)], 3, 5)
    found = cooccurrence_graph(train, 2) @ torch.eye(5)
    assert found.nonzero().tolist() == [[0, 1], [1, 0]]


def test_a_log_of_nothing_is_an_empty_graph():
    assert not (cooccurrence_graph(interactions([], 3, 4), 2) @ torch.eye(4)).any()
