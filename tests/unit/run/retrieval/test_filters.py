"""Filters, variety, similar items and approximate search, on a bundle whose answers are known."""

from collections.abc import Callable

import pytest
import torch

from viral.base.errors import DataError, UnknownIdError, UsageError
from viral.data.vocabulary import Vocabulary
from viral.models import EmbeddingScorer, HistoryScorer
from viral.run.bundle import Bundle
from viral.run.bundle_extras import Material
from viral.run.retrieval import Filters, Retriever
from viral.run.retrieval.diversity import diversify
from worlds import interactions

IDS = "abcdefgh"
CATEGORIES = ("mug", "mug", "lamp", "lamp", "", "mug", "lamp", "mug")


@pytest.fixture
def bundle() -> Bundle:
    """User u scores a 8, b 7 … h 1 and took b; the features of ``image`` are known of a, b and c only."""
    items = torch.stack([torch.arange(8, 0, -1.0), torch.zeros(8)], dim=1)
    image = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.1], *[[0.5, 0.5]] * 5])
    material = Material({"category": CATEGORIES}, {"image": image}, {"image": torch.arange(8) < 3})
    scorer = EmbeddingScorer(torch.tensor([[1.0, 0.0]]), items)
    seen = interactions([(0, 1)], 1, 8)
    return Bundle(scorer, Vocabulary("u", "user"), Vocabulary(IDS, "item"), tuple(IDS.upper()), seen, {}, material)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(), "acd"),
        (Filters(categories=["lamp"]), "cdg"),
        (Filters(categories={"lamp", "mug"}, deny=["a", "unknown"]), "cdf"),
        (Filters(allow=["h", "g", "unknown"]), "gh"),
        (Filters(allow=[]), ""),
        (Filters(in_stock={"d", "e", "b"}), "de"),
        (Filters(in_stock=lambda item_id: item_id > "c", deny=["d"]), "efg"),
        (Filters(categories=["mug"], allow=["a", "b", "c"]), "a"),
    ],
)
def test_every_condition_must_hold(bundle: Bundle, filters: Filters, expected: str) -> None:
    assert "".join(r.item_id for r in Retriever(bundle).recommend("u", 3, filters=filters)) == expected


def test_a_predicate_is_asked_of_the_best_first_and_once(bundle: Bundle) -> None:
    asked: list[str] = []

    def in_stock(item_id: str) -> bool:
        asked.append(item_id)
        return item_id in "gh"

    found = Retriever(bundle).recommend("u", 1, filters=Filters(in_stock=in_stock))
    assert [r.item_id for r in found] == ["g"] and asked == list("acdefg")


def test_masks_belong_to_their_filters(bundle: Bundle) -> None:
    """However many come and go, none gets another's mask."""
    retriever = Retriever(bundle)
    often = Filters(deny=["a"])
    for turn in range(200):
        allowed = IDS[turn % 8]
        found = retriever.recommend("u", 1, filters=Filters(allow=[allowed]), exclude_seen=False)
        assert [r.item_id for r in found] == [allowed]
        assert [r.item_id for r in retriever.recommend("u", 1, filters=often)] == ["c"]


def test_filters_that_cannot_be_meant(bundle: Bundle) -> None:
    with pytest.raises(UsageError, match="no item is in category 'lamps'") as caught:
        Retriever(bundle).recommend("u", filters=Filters(categories=["lamps"]))
    assert "did you mean lamp" in caught.value.hint
    with pytest.raises(UsageError, match="categories is one word"):
        Filters(categories="lamp")
    bare = Bundle(bundle.scorer, bundle.users, bundle.items, bundle.titles, bundle.seen, {})
    with pytest.raises(DataError, match="knows no categories"):
        Retriever(bare).recommend("u", filters=Filters(categories=["lamp"]))


def test_similar_items_by_a_modality_are_those_that_have_it(bundle: Bundle) -> None:
    found = Retriever(bundle).similar("a", by="image")
    assert [s.item_id for s in found] == ["c", "b"] and [s.rank for s in found] == [1, 2]
    assert found[0].similarity == pytest.approx(1 / 1.01**0.5) and found[1].similarity == 0
    assert [s.item_id for s in Retriever(bundle).similar("a", by="image", filters=Filters(deny=["c"]))] == ["b"]


def test_similar_items_by_the_fused_vector(bundle: Bundle) -> None:
    found = Retriever(bundle).similar("a", 3)
    assert [s.similarity for s in found] == pytest.approx([1, 1, 1]) and "a" not in {s.item_id for s in found}
    only = Retriever(bundle).similar("a", filters=Filters(categories=["lamp"]))
    assert {s.item_id for s in only} == {"c", "d", "g"}


def test_what_cannot_be_compared_says_so(bundle: Bundle) -> None:
    retriever = Retriever(bundle)
    with pytest.raises(DataError, match="'d' has no 'image' features"):
        retriever.similar("d", by="image")
    with pytest.raises(UsageError, match="keeps no 'images' features") as caught:
        retriever.similar("a", by="images")
    assert "image" in caught.value.hint
    with pytest.raises(UnknownIdError):
        retriever.similar("z")


def test_item_item_weights_have_similar_items_too() -> None:
    weights = torch.tensor([[0.0, 1.0, 2.0], [1.0, 0.0, 0.0], [1.0, 5.0, 10.0]])
    seen = interactions([(0, 0)], 1, 3)
    scorer = HistoryScorer(*seen.rows(), weights)
    bundle = Bundle(scorer, Vocabulary("u"), Vocabulary("abc"), ("",) * 3, seen, {})
    assert [s.item_id for s in Retriever(bundle).similar("b", 2)] == ["c", "a"]
    assert [(r.item_id, r.score) for r in Retriever(bundle).recommend("u")] == [("c", 2.0), ("b", 1.0)]
    assert [(r.item_id, r.score) for r in Retriever(bundle).recommend_for(["c", "a", "c"])] == [("b", 6.0)]


def test_variety_takes_what_is_unlike_what_is_there() -> None:
    scores = torch.tensor([5.0, 4.9, 4.8, 1.0])
    vectors = torch.tensor([[1.0, 0.0], [1.0, 0.01], [0.0, 1.0], [0.0, -1.0]])
    assert diversify(scores, vectors, 4, 0.0) == [0, 1, 2, 3]
    assert diversify(scores, vectors, 3, 0.5) == [0, 2, 3]
    assert diversify(scores, vectors, 2, 1.0) == [0, 2]
    assert diversify(scores[:1], vectors[:1], 3, 0.5) == [0]


def test_variety_of_recommendations(bundle: Bundle) -> None:
    items = bundle.scorer.items.clone()
    items[2, 1] = 40.0  # c, third by score, points elsewhere
    other = Bundle(
        EmbeddingScorer(bundle.scorer.users, items), bundle.users, bundle.items, bundle.titles, bundle.seen, {}
    )
    found = Retriever(other).recommend("u", 3, diversity=0.4)
    assert [(r.item_id, r.rank, r.score) for r in found] == [("a", 1, 8.0), ("c", 2, 6.0), ("d", 3, 5.0)]
    for wrong in (-0.1, 1.1):
        with pytest.raises(UsageError, match="diversity"):
            Retriever(other).recommend("u", diversity=wrong)


@pytest.mark.parametrize(
    "ask", [lambda r: r.similar("a", 0), lambda r: r.audience("a", 0), lambda r: r.recommend_for([])]
)
def test_nonsense_is_refused(bundle: Bundle, ask: Callable[[Retriever], object]) -> None:
    with pytest.raises(UsageError, match=r"not positive|no items to go by"):
        ask(Retriever(bundle))


def test_fans_are_those_to_whom_the_item_stands_out() -> None:
    users = torch.tensor([[100.0, 100.0], [0.0, 1.0], [1.0, 0.0]])  # the first likes everything
    items = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.5, 0.2]])
    seen = interactions([(2, 0)], 3, 3)
    bundle = Bundle(EmbeddingScorer(users, items), Vocabulary("uvw"), Vocabulary("abc"), ("",) * 3, seen, {})
    fans = Retriever(bundle).audience("b")
    assert [f.user_id for f in fans] == ["v", "u", "w"]
    scores = users @ items.T
    expected = (scores[:, 1] - scores.mean(dim=1)) / scores.std(dim=1, correction=0)
    assert [f.score for f in fans] == pytest.approx(sorted(expected.tolist(), reverse=True), rel=1e-4)
    assert [f.user_id for f in Retriever(bundle).audience("a")] == ["u", "v"]  # w has it


def random_bundle(num_items: int = 3000, dim: int = 16) -> Bundle:
    rng = torch.Generator().manual_seed(0)
    users, items = torch.randn(50, dim, generator=rng), torch.randn(num_items, dim, generator=rng)
    pairs = [(user, int(item)) for user in range(50) for item in (users[user] @ items.T).topk(30).indices[::2]]
    ids = Vocabulary([f"i{n}" for n in range(num_items)])
    names = Vocabulary([f"u{n}" for n in range(50)])
    return Bundle(EmbeddingScorer(users, items), names, ids, ids.ids, interactions(pairs, 50, num_items), {})


def test_approximate_search_finds_what_it_says_it_finds(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("faiss")
    bundle = random_bundle()
    exact, approximate = Retriever(bundle), Retriever(bundle, approximate_above=1000)
    assert exact.recall == 1.0 and 0.3 < approximate.recall < 1.0
    assert f"recall@20 {approximate.recall:.3f}" in capsys.readouterr().err
    shares = []
    scores = bundle.scorer.users @ bundle.scorer.items.T
    for row, user in zip(scores, bundle.users.ids, strict=True):
        best, found = exact.recommend(user, 20), approximate.recommend(user, 20)
        of_found = row[bundle.items.indices([r.item_id for r in found])]
        assert [r.score for r in found] == pytest.approx(of_found.tolist(), abs=1e-4) and len(found) == 20
        assert torch.equal(of_found, of_found.sort(descending=True).values)
        assert not {r.item_id for r in found} & {item for item, _ in exact.history(user)}
        shares.append(len({r.item_id for r in best} & {r.item_id for r in found}) / 20)
    assert sum(shares) / 50 == pytest.approx(approximate.recall, abs=0.1)
    only = Filters(allow=[f"i{n}" for n in range(0, 3000, 7)])
    assert approximate.recommend("u3", 5, filters=only) == exact.recommend("u3", 5, filters=only)
    assert Retriever(bundle, approximate_above=3000).recall == 1.0  # not above it
