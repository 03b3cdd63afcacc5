"""What outlives a model, by hand."""

import pytest
import torch

from viral.data.inputs import ModelInputs
from viral.graph import blocks
from viral.models import EmbeddingScorer, HistoryScorer
from viral.models.baselines.itemknn import ItemKNN, ItemKNNConfig
from viral.models.families.closed_form import item_gram
from worlds import dense, interactions, random_world, small_model

WEIGHTS = torch.tensor([[0.0, 2.0, 3.0], [5.0, 0.0, 7.0], [11.0, 13.0, 0.0]])


@pytest.fixture
def history() -> HistoryScorer:
    """User 0 took items 0 and 2, user 1 nothing, user 2 item 1."""
    return HistoryScorer(torch.tensor([0, 2, 2, 3]), torch.tensor([0, 2, 1]), WEIGHTS)


def test_a_history_scorer_adds_the_rows_of_what_was_taken(history):
    expected = [[11, 15, 3], [0, 0, 0], [5, 0, 7]]
    assert history(torch.tensor([0, 1, 2])).tolist() == expected
    assert history(torch.tensor([2, 2, 0])).tolist() == [expected[2], expected[2], expected[0]]
    assert (history.num_users, history.num_items) == (3, 3)


def test_a_history_scorer_of_users_who_took_nothing(history):
    assert history(torch.tensor([1])).tolist() == [[0, 0, 0]]
    assert history.split(1, 2) == {"score": 0.0}


def test_a_history_scorer_splits(history):
    assert history.split(0, 1) == {"score": 15.0}


def test_parts_are_column_ranges():
    users, items = torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([[4.0, 5.0, 6.0], [1.0, 0.0, 0.0]])
    scorer = EmbeddingScorer(users, items, {"a": (0, 1), "b": (1, 3)})
    assert scorer.split(0, 0) == {"a": 4.0, "b": 28.0}
    assert EmbeddingScorer(users, items).split(0, 1) == {"score": 1.0}


def test_the_gram_matrix_counts_users_who_took_both():
    train = interactions([(0, 0), (0, 1), (1, 1), (1, 0), (2, 2), (2, 2)], 3, 4)
    assert torch.equal(item_gram(train).double(), dense(train).T @ dense(train))


@pytest.mark.parametrize("entries", [1, 40, 10**9])
def test_the_gram_matrix_in_blocks_is_the_whole_one(entries, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_ENTRIES", entries)
    train = random_world(30, 18, 0.3, seed=1).split.train
    assert torch.equal(item_gram(train).double(), dense(train).T @ dense(train))


@pytest.mark.parametrize("entries", [1, 40])
def test_likeness_in_blocks_of_items_is_the_whole_one(entries, monkeypatch):
    world = random_world(30, 18, 0.3, seed=1)
    whole = small_model("itemknn", world, num_neighbors=3).weights.entries()
    monkeypatch.setattr(blocks, "BLOCK_ENTRIES", entries)
    found = small_model("itemknn", world, num_neighbors=3).weights.entries()
    assert all(map(torch.equal, found, whole)) and len(whole[0]) < 18 * 9


def test_viral_needs_no_more_neighbours_than_there_are():
    world = random_world(6, 4, 0.5, seed=2)
    more = {"num_neighbors": 50, "num_user_neighbors": 50}
    for model in (
        small_model("viral", world, **more, user_graph=True, co_occurrence_weight=0.5),
        small_model("viral-light", world, **more),
        small_model("viral-light", world, **more | {"num_user_neighbors": 0}),
    ):
        model.on_epoch_start(torch.Generator())
        assert model.train().embed().users.isfinite().all()
        assert model.score(torch.arange(6)).isfinite().all()


def test_branch_weights_start_near_a_third():
    model = small_model("viral-light", random_world(30, 10, 0.3, seed=1))
    torch.testing.assert_close(model.branch_weights.sum(dim=1), torch.ones(30))
    assert (model.branch_weights - 1 / 3).abs().max() < 0.3


def test_cold_items_take_no_places_among_the_neighbours_without_shrinkage():
    pairs = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (2, 1), (2, 2), (3, 0)]
    warm, cold = (interactions(pairs, 4, num_items) for num_items in (3, 9))
    expected, found = (
        ItemKNN(ModelInputs(train), ItemKNNConfig(num_neighbors=2, shrinkage=0.0)).weights.to_torch().to_dense()
        for train in (warm, cold)
    )
    assert torch.equal(found[:3, :3], expected) and (expected > 0).sum() == 6
    assert found[3:].count_nonzero() == found[:, 3:].count_nonzero() == 0
