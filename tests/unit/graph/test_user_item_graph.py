"""The user-item graph, by hand."""

import torch

from viral.graph import bipartite_adjacency, neighbor_means
from worlds import interactions


def test_by_hand():
    adjacency = bipartite_adjacency(interactions([(0, 0), (0, 1), (1, 1)], 3, 2))  # user 2 took nothing
    root = 0.5**0.5
    expected = torch.tensor(
        [
            [0, 0, 0, root, 0.5],
            [0, 0, 0, 0, root],
            [0, 0, 0, 0, 0],
            [root, 0, 0, 0, 0],
            [0.5, root, 0, 0, 0],
        ]
    )
    torch.testing.assert_close(adjacency.to_torch().to_dense(), expected)
    assert adjacency.symmetric


def test_a_pair_counts_once():
    once = bipartite_adjacency(interactions([(0, 0), (1, 0)], 2, 1)).to_torch().to_dense()
    twice = bipartite_adjacency(interactions([(1, 0), (0, 0), (1, 0)], 2, 1)).to_torch().to_dense()
    assert torch.equal(once, twice)


def test_no_interaction_at_all():
    assert bipartite_adjacency(interactions([], 2, 3)).to_torch().to_dense().count_nonzero() == 0


def test_means_of_neighbours_by_hand():
    of_users, of_items = neighbor_means(interactions([(0, 0), (0, 1), (1, 1), (0, 1)], 3, 2))  # user 2 took nothing
    assert of_users.to_torch().to_dense().tolist() == [[0.5, 0.5], [0, 1], [0, 0]]
    assert of_items.to_torch().to_dense().tolist() == [[1, 0, 0], [0.5, 0.5, 0]]
