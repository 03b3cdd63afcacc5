"""Parts of a ranked list, put together, are the list; popular items; a user in the middle of a visit."""

import pytest
import torch

from serving import ITEMS, bundle
from viral.base.errors import UsageError
from viral.data.interactions import Interactions
from viral.data.vocabulary import Vocabulary
from viral.models import HistoryScorer
from viral.models.scorers import MemoryScorer
from viral.run.bundle import Bundle
from viral.run.retrieval import Filters, Retriever
from viral.run.retrieval.exact_search import top, top_allowed
from viral.run.retrieval.rules import Pin, Rules, Shift


def of_counts() -> Bundle:
    """Thirty items with item-item weights of which most are equal: whole numbers from 0 to 2."""
    made = bundle()
    weights = torch.randint(0, 3, (ITEMS, ITEMS), generator=torch.Generator().manual_seed(1)).float()
    scorer = HistoryScorer(*made.seen.rows(), weights)
    return Bundle(scorer, made.users, made.items, made.titles, made.seen, {}, made.material)


def with_memory() -> Bundle:
    made, counts = bundle(), of_counts().scorer
    scales = torch.full((len(made.users),), 0.5)
    scorer = MemoryScorer(made.scorer, counts, scales, 0.5)
    return Bundle(scorer, made.users, made.items, made.titles, made.seen, {}, made.material)


@pytest.mark.parametrize("seed", range(20))
def test_the_best_of_many_equal_scores_are_the_first(seed: int) -> None:
    rng = torch.Generator().manual_seed(seed)
    scores = torch.randint(0, 4, (50,), generator=rng).float()
    scores[torch.rand(50, generator=rng) < 0.2] = -torch.inf
    whole = [i for i in sorted(range(50), key=lambda i: (-float(scores[i]), i)) if scores[i] > -torch.inf]
    for count in (1, 2, 7, 25, 49, 50, 80):
        indices, values = top(scores, count)
        assert indices.tolist() == whole[:count] and torch.equal(values, scores[indices])
        odd, _ = top_allowed(scores, count, lambda name: int(name) % 2 == 1, [str(i) for i in range(50)])
        assert odd.tolist() == [i for i in whole if i % 2][:count]
    assert top(torch.full((5,), -torch.inf), 3)[0].tolist() == [] and top(scores[:0], 3)[0].tolist() == []


RULES = Rules((Pin("i9", 3), Pin("i4", 12), Pin("i28", 3)), (Shift(1.0, categories=("mug",)), Shift(-9.0, ("i1",))), 4)


@pytest.mark.parametrize("made", [bundle, of_counts, with_memory])
@pytest.mark.parametrize("rules", [Rules(), RULES], ids=["plain", "rules"])
@pytest.mark.parametrize("diversity", [0.0, 0.6])
def test_pages_are_parts_of_one_list(made, rules: Rules, diversity: float) -> None:
    retriever = Retriever(made())
    asked = {"diversity": diversity, "rules": rules}
    for size in (3, 7):
        pages = [retriever.rank(retriever.profile("u2"), size, offset=start, **asked) for start in range(0, 60, size)]
        found = [one.item_id for page in pages for one in page]
        assert len(set(found)) == len(found) == 27
        assert [one.rank for one in pages[1]] == list(range(size + 1, size + 1 + len(pages[1])))
        assert pages[1] == retriever.rank(retriever.profile("u2"), size, offset=size, **asked)
    if not rules:
        whole = retriever.recommend("u2", 27, diversity=diversity)
        assert found == [one.item_id for one in whole]


def test_what_cannot_be_a_page() -> None:
    retriever = Retriever(bundle())
    for wrong in ({"offset": -1}, {"diversity": -0.1}, {"diversity": 1.1}):
        with pytest.raises(UsageError):
            retriever.rank(retriever.profile("u2"), 6, **wrong)
    assert retriever.rank(retriever.profile("u2"), 6, offset=27) == []


def test_popular_items_are_those_that_most_took() -> None:
    made = bundle()
    retriever, degrees = Retriever(made), made.seen.item_degrees().tolist()
    found = retriever.popular(ITEMS)
    expected = sorted(range(ITEMS), key=lambda i: (-degrees[i], i))
    assert [one.item_id for one in found] == [f"i{i}" for i in expected]
    assert found[0].score == 3 and found[0].parts == {"popularity": 3.0}
    assert retriever.popular(5, offset=7) == found[7:12]
    mugs = retriever.popular(4, filters=Filters(categories=["mug"], deny=["i3"]))
    assert [one.item_id for one in mugs] == ["i6", "i9", "i12", "i0"]
    counts = torch.zeros(ITEMS, dtype=torch.int64)
    counts[20], counts[21] = 2, 5
    recent = retriever.popular(3, counts=counts)
    assert [(one.item_id, one.score) for one in recent] == [("i21", 5), ("i20", 2), ("i2", 0)]
    assert retriever.popular(1, rules=Rules((Pin("i29"),)))[0].pinned


@pytest.mark.parametrize("made", [bundle, of_counts, with_memory])
def test_a_visit_changes_what_a_user_is_recommended(made) -> None:
    retriever = Retriever(made())
    known = retriever.profile("u2")
    assert retriever.rank(retriever.in_session("u2", []), 5) == retriever.recommend("u2", 5)
    visiting = retriever.in_session("u2", ["i20", "i25"])
    assert set(visiting.seen.tolist()) == {2, 3, 4, 20, 25}
    found = [one.item_id for one in retriever.rank(visiting, 30)]
    assert len(found) == 25 and not {"i20", "i25", "i2"} & set(found)
    before, alone = known.scores(), retriever.new_user(["i20", "i25"]).scores()
    after = visiting.scores()
    assert not torch.allclose(before, after)

    def likeness(one: torch.Tensor, other: torch.Tensor) -> float:
        return float(torch.corrcoef(torch.stack([one, other]))[0, 1])

    assert likeness(after, alone) > likeness(before, alone) and likeness(after, before) > likeness(alone, before)
    assert sum(visiting.split(7).values()) == pytest.approx(float(after[7]), abs=1e-5)


def test_a_visit_is_not_lost_beside_a_long_history() -> None:
    """Nine items taken say item 10, and the one just looked at says item 11: three times, the root of nine."""
    weights = torch.zeros(12, 12)
    weights[:9, 10] = 1.0
    weights[9, 11] = 1.0
    seen = Interactions(torch.zeros(9, dtype=torch.int64), torch.arange(9), 1, 12)
    people, items = Vocabulary(["u"], "user"), Vocabulary([f"i{n}" for n in range(12)], "item")
    retriever = Retriever(Bundle(HistoryScorer(*seen.rows(), weights), people, items, ("",) * 12, seen, {}))
    scores = retriever.in_session("u", ["i9"]).scores()
    assert (scores[10], scores[11]) == (9, 3)
