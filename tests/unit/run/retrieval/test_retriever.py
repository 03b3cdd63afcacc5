"""Recommendations from a bundle, by raw ids."""

import pytest
import torch

from viral.base.errors import UnknownIdError, UsageError
from viral.data.vocabulary import Vocabulary
from viral.models import EmbeddingScorer
from viral.run.bundle import Bundle
from viral.run.retrieval import Retriever
from worlds import interactions

USERS = torch.tensor([[1.0, 2.0, 0.5], [0.0, 1.0, 1.0], [0.0, 0.0, 0.0]])
ITEMS = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [2.0, -1.0, 4.0]])
PARTS = {"text": (0, 1), "unique_visual": (1, 3)}


@pytest.fixture
def bundle() -> Bundle:
    """Scores: u (1, 2, .5, 2), v (0, 1, 1, 3), w all zero; u took c, v took everything."""
    seen = interactions([(0, 2), (1, 0), (1, 1), (1, 2), (1, 3)], 3, 4)
    titles = ("Ant", "Bee", "Cat", "")
    return Bundle(
        EmbeddingScorer(USERS, ITEMS, PARTS), Vocabulary("uvw", "user"), Vocabulary("abcd", "item"), titles, seen, {}
    )


def test_the_best_unseen_items_first(bundle):
    found = Retriever(bundle).recommend("u", 2)
    assert {r.item_id for r in found} == {"b", "d"}
    assert [r.rank for r in found] == [1, 2] and [r.score for r in found] == [2.0, 2.0]
    bee = next(r for r in found if r.item_id == "b")
    assert bee.title == "Bee" and bee.parts == {"text": 0.0, "unique_visual": 2.0}


def test_what_was_taken_is_left_out_unless_asked_for(bundle):
    retriever = Retriever(bundle)
    assert [r.item_id for r in retriever.recommend("u", 10)][2:] == ["a"]
    assert [r.item_id for r in retriever.recommend("u", 10, exclude_seen=False)][2:] == ["a", "c"]
    assert retriever.recommend("v", 10) == []
    assert len(retriever.recommend("v", 10, exclude_seen=False)) == 4


def test_asking_again_gives_the_same(bundle):
    retriever = Retriever(bundle)
    assert retriever.recommend("u") == retriever.recommend("u")
    assert torch.equal(bundle.scorer(torch.tensor([0])), USERS[:1] @ ITEMS.T)


def test_a_user_without_history_gets_something(bundle):
    assert len(Retriever(bundle).recommend("w", 3)) == 3
    assert Retriever(bundle).history("w") == []


def test_history(bundle):
    assert Retriever(bundle).history("u") == [("c", "Cat")]


def test_an_unknown_user_is_named(bundle):
    with pytest.raises(UnknownIdError, match="unknown user 'uu'") as caught:
        Retriever(bundle).recommend("uu")
    assert "did you mean u?" in caught.value.hint
    with pytest.raises(UnknownIdError):
        Retriever(bundle).history("x")


@pytest.mark.parametrize("k", [0, -2])
def test_k_must_be_positive(bundle, k):
    with pytest.raises(UsageError, match="not positive"):
        Retriever(bundle).recommend("u", k)


def test_a_run_and_its_bundle_are_both_found(bundle, tmp_path):
    bundle.save(tmp_path / "run" / "bundle")
    for path in (tmp_path / "run", tmp_path / "run" / "bundle"):
        assert Retriever.load(path).recommend("u", 1)[0].score == 2.0


def test_the_parts_of_a_recommendation_add_up(bundle):
    for recommendation in Retriever(bundle).recommend("u"):
        assert sum(recommendation.parts.values()) == pytest.approx(recommendation.score, abs=1e-5)
