"""The first look at a few columns against the whole product: the same items, whatever is hidden."""

import pytest
import torch
from torch import Tensor

from viral.data.interactions import Interactions
from viral.data.vocabulary import Vocabulary
from viral.models import EmbeddingScorer
from viral.run.bundle import Bundle
from viral.run.retrieval import Filters, Retriever, exact_search
from viral.run.retrieval.exact_search import BoundedSearch

ITEMS, WIDTH = 3_000, 96


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exact_search, "FEWEST_ITEMS", 100)


def flat(seed: int, falling: float = 1.5) -> tuple[Tensor, Tensor]:
    """Twenty users and items (n, D) whose directions matter less and less, turned at random."""
    rng = torch.Generator().manual_seed(seed)
    turn = torch.linalg.qr(torch.randn(WIDTH, WIDTH, generator=rng)).Q
    scale = torch.arange(1, WIDTH + 1).float() ** -falling
    return (20 * torch.randn(20, WIDTH, generator=rng)) @ turn, (
        torch.randn(ITEMS, WIDTH, generator=rng) * scale
    ) @ turn


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("count", [1, 20, ITEMS + 7])
def test_the_best_are_those_of_the_whole_product(seed: int, count: int) -> None:
    users, items = flat(seed)
    quick = BoundedSearch.of(items)
    assert quick is not None and len(quick.head) <= WIDTH // 2
    rng = torch.Generator().manual_seed(seed)
    for user in users:
        blocked = torch.rand(ITEMS, generator=rng) < 0.5
        seen = torch.randint(ITEMS, (30,), generator=rng)
        found, scores = quick.best(user, count, blocked, seen)
        whole = (items.double() @ user.double()).masked_fill(blocked, -torch.inf).index_fill(0, seen, -torch.inf)
        best = whole.topk(min(count, int((whole > -torch.inf).sum())))
        assert len(found) == len(set(found.tolist())) and not bool(blocked[found].any())
        assert count > 20 or found.tolist() == best.indices.tolist()  # among thousands float32 has ties
        torch.testing.assert_close(scores.double(), best.values, rtol=1e-4, atol=1e-4)


def test_a_score_may_lie_wholly_beyond_the_first_look() -> None:
    """The best item of a user whose taste lies in a direction that no other item has."""
    items = flat(0)[1]
    quick = BoundedSearch.of(items)
    assert quick is not None
    odd = quick.turn[:, -1]
    found, scores = quick.best(odd, 5, None, torch.empty(0, dtype=torch.int64))
    best = (items.double() @ odd.double()).topk(5)
    assert set(found.tolist()) == set(best.indices.tolist()) and scores.double().allclose(best.values, atol=1e-5)


def test_vectors_without_a_direction_of_their_own_are_not_scanned() -> None:
    assert BoundedSearch.of(flat(0, falling=0)[1]) is None
    assert BoundedSearch.of(flat(0)[1][:50]) is None
    assert BoundedSearch.of(flat(0)[1][:, :64]) is None
    assert BoundedSearch.of(torch.full((200, WIDTH), torch.nan)) is None


def test_a_retriever_answers_as_without_it() -> None:
    users, items = flat(1)
    ids, people = (Vocabulary([f"{n}" for n in range(size)], "id") for size in (ITEMS, len(users)))
    seen = Interactions(torch.arange(20).repeat_interleave(9), torch.randint(ITEMS, (180,)), 20, ITEMS)
    quick, plain = (Retriever(Bundle(EmbeddingScorer(users, items), people, ids, ids.ids, seen, {})) for _ in range(2))
    plain.__dict__["scan"] = None
    assert quick.bounded is not None
    allowed = [f"{n}" for n in range(0, ITEMS, 3)]
    for filters in (Filters(), Filters(allow=allowed), Filters(in_stock=lambda item: item.endswith("7"))):
        for user in people.ids:
            answers = [one.recommend(user, 12, filters=filters) for one in (quick, plain)]
            assert [item.item_id for item in answers[0]] == [item.item_id for item in answers[1]]
            assert [item.score for item in answers[0]] == pytest.approx([item.score for item in answers[1]], rel=1e-4)
