"""Many new items at once are worked off in blocks, with the same answers."""

import pytest
import torch

from viral.base.errors import DataError
from viral.data.vocabulary import Vocabulary
from viral.graph import blocks
from viral.models import EmbeddingScorer, HistoryScorer
from viral.run.bundle import Bundle
from viral.run.bundle_extras import Material
from viral.run.retrieval.approximate_search import ApproximateSearch
from viral.run.retrieval.new_items import embed, nearest_warm
from worlds import interactions

ITEMS = 30


def draw(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def bundle(kind: str) -> Bundle:
    """Items with two modalities, of which every third lacks one."""
    seen = interactions([(u, (u * 7 + n) % (ITEMS - 4)) for u in range(9) for n in range(6)], 9, ITEMS)
    vectors = draw(ITEMS, 5, seed=0)
    scorer: EmbeddingScorer | HistoryScorer = EmbeddingScorer(draw(9, 5, seed=1), vectors)
    if kind == "weights":
        scorer = HistoryScorer(*seen.rows(), vectors @ vectors.T)
    present = {"text": torch.arange(ITEMS) % 3 > 0, "image": torch.ones(ITEMS, dtype=torch.bool)}
    material = Material(features={m: draw(ITEMS, 4, seed=len(m)) for m in present}, present=present)
    names = [Vocabulary([f"{kind}{n}" for n in range(count)]) for count in (9, ITEMS)]
    return Bundle(scorer, *names, ("",) * ITEMS, seen, {}, material)


def new_items() -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    features = {m: draw(11, 4, seed=10 + len(m)) for m in ("text", "image")}
    return features, {"text": torch.arange(11) % 4 > 0, "image": torch.arange(11) % 4 < 3}


@pytest.mark.parametrize("entries", [1, 2 * ITEMS, 3 * ITEMS + 1])
@pytest.mark.parametrize("kind", ["vectors", "weights"])
def test_blocks_of_new_items(kind: str, entries: int, monkeypatch: pytest.MonkeyPatch) -> None:
    of, (features, present) = bundle(kind), new_items()
    expected, vectors = nearest_warm(of, features, present), embed(of, features, present, "neighbors")
    monkeypatch.setattr(blocks, "BLOCK_ENTRIES", entries)
    similarities, nearest = nearest_warm(of, features, present)
    torch.testing.assert_close(similarities, expected[0])
    assert torch.equal(nearest, expected[1]) and not torch.isin(nearest, torch.arange(ITEMS - 4, ITEMS)).any()
    torch.testing.assert_close(embed(of, features, present, "neighbors"), vectors)


@pytest.mark.parametrize("entries", [1, 10**9])
def test_one_item_without_features_among_many(entries: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK_ENTRIES", entries)
    features, present = new_items()
    present["text"][10] = present["image"][10] = False
    with pytest.raises(DataError, match="no features that the bundle's items have"):
        nearest_warm(bundle("vectors"), features, present)


def test_the_similarity_is_the_mean_over_what_both_have() -> None:
    of, (features, present) = bundle("vectors"), new_items()
    similarities, nearest = nearest_warm(of, features, present, k=3)
    for item in range(11):
        for value, known in zip(similarities[item].tolist(), nearest[item].tolist(), strict=True):
            cosines = [
                torch.cosine_similarity(x[item], of.material.features[m][known], dim=0)
                for m, x in features.items()
                if present[m][item] and of.material.present[m][known]
            ]
            assert value == pytest.approx(float(torch.stack(cosines).mean()), abs=1e-6)


def test_the_recall_of_approximate_search_is_that_of_whole_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("faiss")
    items, users = draw(800, 6, seed=0), draw(70, 6, seed=1)
    whole = ApproximateSearch(items, users).recall
    monkeypatch.setattr(blocks, "BLOCK_ENTRIES", 800 * 3)
    assert 0.1 < ApproximateSearch(items, users).recall == whole < 1
