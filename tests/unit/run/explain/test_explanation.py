"""Explanations: exact, and readable."""

import json

import pytest
import torch

from viral.base.errors import UnknownIdError
from viral.data.vocabulary import Vocabulary
from viral.models import EmbeddingScorer
from viral.run.bundle import Bundle
from viral.run.explain import explain
from viral.run.retrieval import Retriever
from worlds import interactions, small_model, two_tastes


@pytest.fixture
def bundle() -> Bundle:
    """User u scores a 1 - 3 = -2, b 4 and c -2; u took b."""
    items = torch.tensor([[1.0, -3.0], [4.0, 0.0], [-2.0, 0.0]])
    scorer = EmbeddingScorer(torch.tensor([[1.0, 1.0], [0.0, 0.0]]), items, {"text": (0, 1), "unique_visual": (1, 2)})
    seen = interactions([(0, 1)], 2, 3)
    return Bundle(scorer, Vocabulary("uv", "user"), Vocabulary("abc", "item"), ("Ant", "", "Cat"), seen, {})


def test_a_score_is_the_sum_of_its_parts(bundle):
    found = explain(bundle, "u", "a")
    assert found.parts == {"text": 1.0, "unique_visual": -3.0}
    assert (found.score, found.seen, found.title, found.taken) == (-2.0, False, "Ant", 1)
    taken = explain(bundle, "u", "b")
    assert (taken.score, taken.seen) == (4.0, True)


def test_the_rank_is_that_of_the_list(bundle):
    """Without what the user has taken, and of equal scores the first item leads: as whoever saw the list saw it."""
    shown = Retriever(bundle).recommend("u", 3)
    assert [(one.item_id, one.rank) for one in shown] == [("a", 1), ("c", 2)]
    for one in shown:
        found = explain(bundle, "u", one.item_id)
        assert (found.rank, found.num_items) == (one.rank, 2)
    taken = explain(bundle, "u", "b")
    assert (taken.rank, taken.num_items) == (1, 3)


def test_the_sentence(bundle):
    sentence = explain(bundle, "u", "a").sentence()
    assert sentence == "Ant: score -2.000 = unique visual -3.000 (75%), text +1.000 (25%); rank 1 of 2"
    assert explain(bundle, "u", "b").sentence().startswith("b: score 4.000")
    assert explain(bundle, "u", "b").sentence().endswith("; rank 1 of 3; the user has it already")


def test_a_score_of_nothing_can_be_told(bundle):
    assert "score 0.000 = text +0.000 (0%)" in explain(bundle, "v", "a").sentence()


def test_it_is_json(bundle):
    found = explain(bundle, "u", "a")
    assert json.loads(json.dumps(found.to_json()))["parts"] == found.parts


@pytest.mark.parametrize(("user", "item", "kind"), [("x", "a", "user"), ("u", "x", "item")])
def test_unknown_ids_are_named(bundle, user, item, kind):
    with pytest.raises(UnknownIdError, match=f"unknown {kind} 'x'"):
        explain(bundle, user, item)


@pytest.mark.parametrize(("name", "parts"), [("viral", 5), ("viral-light", 3), ("ease", 1), ("lightgcn", 1)])
def test_the_parts_add_up_to_the_models_score(name, parts):
    world = two_tastes(12)
    model = small_model(name, world)
    made = Bundle(model.scorer(), world.split.users, world.split.items, ("",) * 12, world.split.train, {})
    scores = model.score(torch.arange(12))
    for user, item in ((0, 0), (5, 3), (11, 2)):
        found = explain(made, f"u{user}", f"i{item}")
        assert found.score == sum(found.parts.values()) == pytest.approx(scores[user, item].item(), abs=1e-5)
        listed = {one.item_id: one.rank for one in Retriever(made).recommend(f"u{user}", 12)}
        assert (f"i{item}" not in listed) == found.seen
        assert found.rank == listed.get(f"i{item}", found.rank) and found.num_items == len(listed) + found.seen
        assert len(found.parts) == parts
