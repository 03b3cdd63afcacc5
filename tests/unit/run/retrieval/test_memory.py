"""A retriever over vectors with a memory beside them, against all scores by the formula."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from memories import KINDS, Kind, memory_bundle, remembered_of, scores_of, table_of, taken_of
from viral.models.scorers import MEMORY, scales_of
from viral.run.bundle import Bundle
from viral.run.retrieval import Filters, FoldIn, Retriever, approximate_search, exact_search
from viral.run.retrieval.approximate_search import ApproximateSearch
from viral.run.retrieval.feature_prediction import VectorPredictor
from viral.run.retrieval.new_items import embed, extended

EVERY_THIRD = [f"i{n}" for n in range(0, 160, 3)]
FILTERS = {
    "none": (Filters(), lambda n: True),
    "allowed": (Filters(allow=EVERY_THIRD), lambda n: n % 3 == 0),
    "denied": (Filters(deny=EVERY_THIRD), lambda n: n % 3 > 0),
    "category": (Filters(categories=["c1"]), lambda n: n % 3 == 1),
    "asked": (Filters(in_stock=lambda item: item.endswith("7")), lambda n: n % 10 == 7),
}


@pytest.fixture
def scanned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exact_search, "FEWEST_ITEMS", 100)


def check(found: list[Any], scores: Tensor, k: int) -> None:
    """The answer is the k best of ``scores`` (I,) float64, -∞ where an item is not to be ranked."""
    best = scores.topk(min(k, int((scores > -torch.inf).sum())))
    assert [one.item_id for one in found] == [f"i{item}" for item in best.indices.tolist()]
    assert [one.score for one in found] == pytest.approx(best.values.tolist(), rel=1e-4, abs=1e-4)
    for one in found:
        assert list(one.parts) == ["text", "synergy", "unique_visual", MEMORY]
        assert sum(one.parts.values()) == pytest.approx(float(scores[int(one.item_id[1:])]), abs=1e-5)


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("width", [12, 96])  # the wider are scanned
@pytest.mark.parametrize("kind", KINDS)
def test_the_best_are_those_of_all_scores(kind: Kind, width: int, name: str, scanned: None) -> None:
    bundle = memory_bundle(kind, width=width, falling=1.5)
    retriever, (filters, kept) = Retriever(bundle), FILTERS[name]
    assert (retriever.bounded is not None) == (width == 96)
    left = torch.tensor([not kept(n) for n in range(160)])
    scores, seen = scores_of(bundle).masked_fill(left, -torch.inf), taken_of(bundle) > 0
    for user in range(20):
        for k in (1, 12, 400):
            check(
                retriever.recommend(f"u{user}", k, filters=filters), scores[user].masked_fill(seen[user], -torch.inf), k
            )
            check(retriever.recommend(f"u{user}", k, filters=filters, exclude_seen=False), scores[user], k)


@pytest.mark.parametrize("factor", [0.01, 1.0, 100.0])
def test_a_scan_is_exact_over_many_items(factor: float) -> None:
    """Whether vectors or memory decide, and whatever its sign."""
    rng = torch.Generator().manual_seed(1)
    bundle = memory_bundle("sparse", users=6, items=300, width=96, falling=1.5)
    vectors = bundle.scorer.vectors
    items = vectors.items.repeat(80, 1) + 0.01 * torch.randn(24_000, 96, generator=rng)
    quick = exact_search.BoundedSearch.of(items)
    assert quick is not None
    for user in vectors.users:
        added = factor * torch.randn(24_000, generator=rng) * (torch.rand(24_000, generator=rng) < 0.05)
        hidden = torch.randint(24_000, (30,), generator=rng)
        blocked = torch.rand(24_000, generator=rng) < 0.5
        found, scores = quick.best(user, 20, blocked, hidden, added)
        whole = (items.double() @ user.double() + added.double()).masked_fill(blocked, -torch.inf)
        best = whole.index_fill(0, hidden, -torch.inf).topk(20)
        assert found.tolist() == best.indices.tolist()
        torch.testing.assert_close(scores.double(), best.values, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_somebody_new_is_folded_in_and_remembered(kind: Kind) -> None:
    bundle = memory_bundle(kind)
    retriever, taken = Retriever(bundle), torch.tensor([3, 7, 77])
    assert torch.equal(retriever.fold_in.matrix, FoldIn.of(replace(bundle, scorer=bundle.scorer.vectors)).matrix)
    sums = table_of(bundle)[taken].double().sum(dim=0)
    scale = float(scales_of(sums[None], bundle.scorer.weight)[0])
    scores = bundle.scorer.vectors.items.double() @ retriever.fold_in.vector(taken).double() + scale * sums
    check(retriever.recommend_for(["i3", "i7", "i77"], 15), scores.index_fill(0, taken, -torch.inf), 15)
    says_nothing = retriever.recommend_for(["i7"], 3)
    assert [one.parts[MEMORY] for one in says_nothing] == [0.0] * 3


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_item_is_remembered_as_the_mean_item(kind: Kind) -> None:
    bundle = memory_bundle(kind)
    vectors = torch.randn(2, 12, generator=torch.Generator().manual_seed(4))
    bigger = extended(bundle, ["new", "newer"], ["New", "Newer"], vectors)
    scores, before = bigger.scorer(torch.arange(20)), bundle.scorer(torch.arange(20))
    torch.testing.assert_close(scores[:, :160], before, rtol=1e-4, atol=1e-5)
    expected = bundle.scorer.vectors.users @ vectors.T + remembered_of(bundle).mean(dim=1, keepdim=True).float()
    torch.testing.assert_close(scores[:, 160:], expected, rtol=1e-4, atol=1e-5)
    parts = Retriever(bigger).profile("u3").split(161)
    assert parts[MEMORY] == pytest.approx(float(remembered_of(bundle)[3].mean()), abs=1e-6)
    assert sum(parts.values()) == pytest.approx(float(expected[3, 1]), abs=1e-5)


def test_a_new_items_vector_is_on_the_vectors_side() -> None:
    bundle = memory_bundle("sparse")
    alone = replace(bundle, scorer=bundle.scorer.vectors)
    new = {"text": torch.randn(3, 6, generator=torch.Generator().manual_seed(5))}
    own = {"text": torch.ones(3, dtype=torch.bool)}
    assert torch.equal(embed(bundle, new, own, "neighbors"), embed(alone, new, own, "neighbors"))
    rules = [VectorPredictor(one, ("text",)) for one in (bundle, alone)]
    made = [rule.vectors(new, own) / rule.factor for rule in rules]
    torch.testing.assert_close(made[0], made[1])


def test_foretold_items_are_shown_as_often_as_known_ones() -> None:
    """The factor, by its definition: left out and foretold times it, items are among the first 20 as often."""
    bundle = memory_bundle("dense")
    captured = VectorPredictor(bundle, ("text",))
    weights, kernel = captured.weights, captured.features @ captured.features.T
    assert len(weights) == len(captured.known) and kernel.shape[0] == len(weights)
    users = (bundle.seen.user_degrees() > 0).nonzero().squeeze(1)
    scores = scores_of(bundle)[users].masked_fill(taken_of(bundle)[users] > 0, -torch.inf)
    least = scores.topk(20).values[:, -1:]
    left_out = _left_out(bundle, captured)
    open_ = taken_of(bundle)[users][:, captured.known] == 0
    new = captured.factor * bundle.scorer.vectors.users[users].double() @ left_out.T
    new += remembered_of(bundle)[users].mean(dim=1, keepdim=True)
    known = float((scores[:, captured.known] >= least)[open_].double().mean())
    assert float((new >= least)[open_].double().mean()) == pytest.approx(known, abs=0.005)


def _left_out(bundle: Bundle, rule: VectorPredictor) -> Tensor:
    from viral.run.retrieval.feature_prediction import _ridge

    vectors = bundle.scorer.vectors.items[rule.known].double()
    degrees = bundle.seen.item_degrees()[rule.known].double()
    return _ridge(rule.features, vectors - rule.mean, degrees)[1] + rule.mean


@pytest.mark.parametrize("kind", KINDS)
def test_fans_are_those_to_whom_the_item_stands_out(kind: Kind) -> None:
    bundle = memory_bundle(kind)
    retriever, scores = Retriever(bundle), scores_of(bundle)
    standard = (scores - scores.mean(dim=1, keepdim=True)) / scores.std(dim=1, correction=0, keepdim=True)
    for item in (9, 5):
        expected = standard[:, item].masked_fill(taken_of(bundle)[:, item] > 0, -torch.inf).topk(6)
        found = retriever.audience(f"i{item}", 6)
        assert [fan.user_id for fan in found] == [f"u{user}" for user in expected.indices.tolist()]
        assert [fan.score for fan in found] == pytest.approx(expected.values.tolist(), abs=1e-4)


def test_fans_of_a_new_item_are_told_as_of_one_that_was_added() -> None:
    bundle = memory_bundle("sparse")
    retriever, vector = Retriever(bundle), bundle.scorer.vectors.items[9]
    cold = type("Cold", (), {"vector": vector})()
    product = (bundle.scorer.vectors.users @ vector).double() + remembered_of(bundle).mean(dim=1)
    scores = scores_of(bundle)
    expected = ((product - scores.mean(dim=1)) / scores.std(dim=1, correction=0)).topk(5)
    found = retriever.audience(cold, 5)
    assert [fan.user_id for fan in found] == [f"u{user}" for user in expected.indices.tolist()]
    assert [fan.score for fan in found] == pytest.approx(expected.values.tolist(), abs=1e-4)


def test_items_are_alike_by_their_vectors() -> None:
    bundle = memory_bundle("sparse")
    both, alone = Retriever(bundle), Retriever(replace(bundle, scorer=bundle.scorer.vectors))
    assert both.similar("i9", 8) == alone.similar("i9", 8)
    assert len(both.recommend("u3", 8, diversity=0.5)) == 8


@pytest.mark.parametrize("kind", KINDS)
def test_approximate_search_looks_at_all_that_is_remembered(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("faiss")
    monkeypatch.setattr(approximate_search, "SHARE", 1)  # it looks at all lists, and finds 2 k + n of the best products
    bundle = memory_bundle(kind)
    near, exact = Retriever(bundle, approximate_above=100), Retriever(bundle)
    asked: list[int] = []
    plain = ApproximateSearch.candidates
    monkeypatch.setattr(ApproximateSearch, "candidates", lambda self, v, n: [asked.append(n), plain(self, v, n)][1])
    for user in range(20):
        found, expected = near.recommend(f"u{user}", 10), exact.recommend(f"u{user}", 10)
        assert [one.item_id for one in found] == [one.item_id for one in expected]
        assert [one.score for one in found] == pytest.approx([one.score for one in expected], abs=1e-4)
    assert len(asked) == 20
