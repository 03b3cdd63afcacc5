"""The user-user graph against loops over pairs of users."""

import pytest
import torch

from viral.graph import resampled_user_graph, user_graph, user_neighbors
from viral.graph import user_user_graph as cooccurrence
from worlds import dense, interactions, random_world

TRAIN = random_world(24, 15, 0.2, seed=9).split.train


def shared(train) -> torch.Tensor:
    matrix = dense(train)
    return (matrix @ matrix.T).fill_diagonal_(0)


@pytest.mark.parametrize("k", [1, 3, 30])
@pytest.mark.parametrize("entries", [1, 40, 10**9])
def test_the_most_shared_items_first_and_ties_by_index(k, entries, monkeypatch):
    monkeypatch.setattr(cooccurrence, "BLOCK_ENTRIES", entries)
    found = user_neighbors(TRAIN, k)
    assert found.indices.shape == found.counts.shape == (24, k)
    for user, counts in enumerate(shared(TRAIN).tolist()):
        expected = sorted((v for v in range(24) if counts[v] > 0), key=lambda v: (-counts[v], v))[:k]
        assert found.sizes[user] == len(expected)
        assert found.indices[user, : len(expected)].tolist() == expected
        assert found.counts[user].tolist() == [*(counts[v] for v in expected), *[0] * (k - len(expected))]


def test_a_pair_that_occurs_twice_counts_once():
    found = user_neighbors(interactions([(0, 1), (1, 1), (0, 1), (2, 0)], 3, 2), 2)
    assert found.counts.tolist() == [[1, 0], [1, 0], [0, 0]]
    assert found.sizes.tolist() == [1, 1, 0]


def test_blocks_stay_below_their_size(monkeypatch):
    sizes = []
    keys = cooccurrence._keys
    monkeypatch.setattr(cooccurrence, "_keys", lambda product, *more: sizes.append(product.nnz) or keys(product, *more))
    monkeypatch.setattr(cooccurrence, "BLOCK_ENTRIES", 120)
    user_neighbors(TRAIN, 3)
    assert len(sizes) > 3 and max(sizes) <= 120


def test_attention_is_a_softmax_over_the_counts_in_use():
    neighbors = user_neighbors(TRAIN, 10)
    graph = user_graph(neighbors, 4).to_torch().to_dense()
    for user, counts in enumerate(shared(TRAIN)):
        expected = torch.zeros(24)
        best = sorted((v for v in range(24) if counts[v] > 0), key=lambda v: (-counts[v].item(), v))[:4]
        expected[best] = torch.softmax(counts[best].float(), dim=0)
        torch.testing.assert_close(graph[user], expected)


def test_a_user_who_shares_nothing_has_an_empty_row():
    train = interactions([(0, 0), (1, 0), (2, 1)], 4, 2)  # user 2 is alone with an item, user 3 took nothing
    neighbors = user_neighbors(train, 3)
    drawn = resampled_user_graph(neighbors, 3, torch.Generator().manual_seed(0))
    for graph in (user_graph(neighbors, 3), drawn):
        rows = graph.to_torch().to_dense()
        assert rows[2:].count_nonzero() == 0
        torch.testing.assert_close(rows[:2].sum(dim=1), torch.ones(2))


def test_asking_for_more_neighbours_than_were_kept():
    neighbors = user_neighbors(TRAIN, 2)
    assert torch.equal(user_graph(neighbors, 99).to_torch().to_dense(), user_graph(neighbors, 2).to_torch().to_dense())
    assert resampled_user_graph(neighbors, 99, torch.Generator()).entries()[0].bincount().max() == 2


def test_resampling_pads_short_lists_only():
    """Each row is softmax over k places: the list, then draws from the list; a neighbour drawn twice counts twice."""
    k = 8
    neighbors = user_neighbors(TRAIN, k)
    graph = resampled_user_graph(neighbors, k, torch.Generator().manual_seed(4))
    rows, columns, values = graph.entries()
    padded = 0
    for user in range(24):
        size, places = int(neighbors.sizes[user]), columns[rows == user]
        assert len(places) == (k if size else 0)
        listed = neighbors.indices[user, :size].tolist()
        assert set(places.tolist()) == set(listed)  # every listed one, none other
        counts = {v: c for v, c in zip(listed, neighbors.counts[user].tolist(), strict=False)}
        weights = torch.softmax(torch.tensor([counts[v] for v in places.tolist()]), dim=0)
        torch.testing.assert_close(values[rows == user], weights)
        padded += 0 < size < k
    assert padded, "the world has no short list"


def test_resampling_draws_evenly_and_anew():
    train = interactions([(0, i) for i in range(3)] + [(u, u - 1) for u in (1, 2, 3)], 4, 3)
    neighbors = user_neighbors(train, 200)  # user 0 has three neighbours, one item shared with each
    rng = torch.Generator().manual_seed(0)
    first, second = (resampled_user_graph(neighbors, 200, rng).to_torch().to_dense()[0] for _ in range(2))
    assert not torch.equal(first, second)
    draws = sum(resampled_user_graph(neighbors, 200, rng).to_torch().to_dense()[0] for _ in range(30)) * 200
    assert draws[0] == 0
    assert draws[1:].sum().item() == pytest.approx(6000, abs=0.1)
    assert (draws[1:] - 2000).abs().max() < 150  # four standard deviations of a fair draw
    again = resampled_user_graph(neighbors, 200, torch.Generator().manual_seed(0)).to_torch().to_dense()[0]
    assert torch.equal(again, first)
