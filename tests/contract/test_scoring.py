"""The contract of every model, continued: cold items and users, precision, and what its scorer promises."""

import pytest
import torch

from viral.base.recipe import TrainConfig
from viral.evaluation import evaluate
from viral.models import EmbeddingRecommender, Recommender
from viral.training import fit
from worlds import ZOO, World, class_of, first_batch, small_model, two_tastes

LEARNERS = [name for name in ZOO if issubclass(class_of(name), EmbeddingRecommender)]


@pytest.fixture(scope="module")
def world() -> World:
    return two_tastes(cold=True)


@pytest.fixture(scope="module", params=ZOO, ids=list(ZOO))
def model(request, world) -> Recommender:
    """A model after one epoch on a catalogue with an item and a user that nobody has seen."""
    model = small_model(request.param, world)
    fit(model, world.split, TrainConfig(max_epochs=1, batch_size=256, learning_rate=0.01))
    return model


def test_a_cold_item_and_a_cold_user_have_finite_scores(model, world):
    scores = model.score(torch.arange(model.num_users))
    assert scores.shape == (len(world.split.users), len(world.split.items))
    assert scores.isfinite().all()
    assert scores[:-1].std() > 0, "the model tells nothing apart"


@pytest.mark.parametrize("name", LEARNERS)
def test_loss_terms_are_finite_scalars(name, world):
    model = small_model(name, world).train()
    model.on_epoch_start(torch.Generator().manual_seed(0))
    terms = model.loss(first_batch(world))
    assert terms and all(term.shape == () and term.isfinite() for term in terms.values())
    torch.stack(list(terms.values())).sum().backward()
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)


def test_it_moves_to_double(model, world):
    expected = model.score(torch.arange(5))
    name = next(name for name in ZOO if type(model) is class_of(name))
    wide = small_model(name, world)
    wide.load_state_dict(model.state_dict())
    wide.double()
    scores = wide.score(torch.arange(5))
    assert scores.dtype == torch.float64
    torch.testing.assert_close(scores, expected.double(), rtol=1e-4, atol=1e-4)
    assert evaluate(wide.scorer(), world.split.test, world.split.train).mean()["recall@20"] > 0
    if isinstance(wide, EmbeddingRecommender):
        wide.train()
        wide.on_epoch_start(torch.Generator().manual_seed(0))
        terms = wide.loss(first_batch(world))
        assert {term.dtype for term in terms.values()} == {torch.float64}
        torch.stack(list(terms.values())).sum().backward()


def test_a_buffer_gets_the_same_scores(model):
    scorer, users = model.scorer(), torch.tensor([3, 0, 40, 3])
    fresh = scorer(users)
    buffer = torch.full((6, scorer.num_items), 7.0)
    returned = scorer(users, out=buffer[:4])
    assert returned.data_ptr() == buffer.data_ptr()
    assert torch.equal(buffer[:4], fresh)
    assert (buffer[4:] == 7).all()


def test_rows_follow_the_users_asked_for(model):
    scorer = model.scorer()
    everybody = scorer(torch.arange(scorer.num_users))
    some = torch.tensor([7, 2, 7])
    torch.testing.assert_close(scorer(some), everybody[some])


def test_the_parts_of_a_score_add_up(model):
    scorer = model.scorer()
    scores = scorer(torch.arange(scorer.num_users))
    for user, item in ((0, 0), (1, 4), (39, 40), (40, 3)):
        parts = scorer.split(user, item)
        assert parts
        assert sum(parts.values()) == pytest.approx(scores[user, item].item(), abs=1e-5)


def test_the_sizes_are_the_catalogues(model, world):
    scorer = model.scorer()
    assert (scorer.num_users, scorer.num_items) == (len(world.split.users), len(world.split.items))
