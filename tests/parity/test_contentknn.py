"""Content-only nearest neighbours against a loop over pairs of items."""

import pytest
import torch
import torch.nn.functional as F

from viral import graph
from viral.base.errors import UsageError
from viral.models import EmbeddingScorer, SparseHistoryScorer
from worlds import World, dense, random_world, small_model

SOURCES = {
    "both": ({}, {"image": 0.3, "text": 0.7}),
    "text only": ({"visual": None}, {"text": 1.0}),
    "picture only": ({"text": None, "visual": "description"}, {"description": 1.0}),
}


@pytest.fixture(scope="module")
def world() -> World:
    return random_world(30, 18, 0.2, seed=3)


def likeness(world: World, shares: dict[str, float], i: int, j: int) -> float:
    rows = {m: world.inputs.features[m].double() for m in shares}
    return sum(w * F.cosine_similarity(rows[m][i], rows[m][j], dim=0).item() for m, w in shares.items())


@pytest.mark.parametrize("num_neighbors", [1, 4, 100, None])
@pytest.mark.parametrize(("settings", "shares"), SOURCES.values(), ids=SOURCES)
def test_sums_the_likeness_to_what_was_taken(settings, shares, num_neighbors, world):
    model = small_model("contentknn", world, num_neighbors=num_neighbors, visual_weight=0.3, **settings)
    x = dense(world.split.train)
    weights = torch.zeros(18, 18, dtype=torch.float64)
    for i in range(18):
        like = {j: likeness(world, shares, i, j) for j in range(18) if num_neighbors is None or j != i}
        for j in sorted(like, key=like.__getitem__, reverse=True)[:num_neighbors]:
            weights[j, i] = like[j]
    torch.testing.assert_close(model.score(torch.arange(30)).double(), x @ weights, rtol=1e-4, atol=1e-5)


def test_no_table_of_items_by_items_is_held(world):
    assert isinstance(small_model("contentknn", world, num_neighbors=None).scorer(), EmbeddingScorer)
    scorer = small_model("contentknn", world, num_neighbors=4).scorer()
    assert isinstance(scorer, SparseHistoryScorer) and len(scorer.weights.values) == 18 * 4


def test_what_is_not_found_is_no_neighbour(world, monkeypatch):
    """The approximate search, for catalogues of more than 100,000 items, may find fewer than k."""
    similarities, neighbors = graph.nearest_neighbors(torch.randn(18, 3), 5)
    similarities[3, 2:], neighbors[3, 2:] = -torch.inf, 0
    monkeypatch.setattr(graph, "nearest_neighbors", lambda *_: (similarities, neighbors))
    scorer = small_model("contentknn", world, num_neighbors=4).scorer()
    assert scorer(torch.arange(30)).isfinite().all() and len(scorer.weights.values) == 17 * 4 + 1


@pytest.mark.parametrize("settings", [{"num_neighbors": 0}, {"visual_weight": 1.1}, {"visual_weight": -0.1}])
def test_a_setting_out_of_range_is_refused(settings, world):
    with pytest.raises(UsageError, match=next(iter(settings))):
        small_model("contentknn", world, **settings)
