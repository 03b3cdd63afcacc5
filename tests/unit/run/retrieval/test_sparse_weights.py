"""A bundle of sparse item-item weights answers as one of the same weights in a dense table."""

from pathlib import Path
from typing import Any

import pytest
import torch

from viral.apps.serve.pages.map_layout import vectors
from viral.data.interactions import Interactions
from viral.data.vocabulary import Vocabulary
from viral.graph import SparseMatrix
from viral.models import HistoryScorer, SparseHistoryScorer
from viral.run.bundle import Bundle
from viral.run.bundle_extras import Material
from viral.run.explain import explain
from viral.run.retrieval import Retriever
from viral.run.retrieval.new_items import embed, extended

USERS, ITEMS = 20, 160


def bundle(kind: str) -> Bundle:
    rng = torch.Generator().manual_seed(0)
    table = torch.rand(ITEMS, ITEMS, generator=rng) * (torch.rand(ITEMS, ITEMS, generator=rng) < 0.2)
    taken = torch.rand(USERS, ITEMS, generator=rng) < 0.1
    seen = Interactions(*taken.nonzero(as_tuple=True), USERS, ITEMS)
    rows, columns = table.nonzero(as_tuple=True)
    scorer: HistoryScorer | SparseHistoryScorer = HistoryScorer(*seen.rows(), table)
    if kind == "sparse":
        matrix = SparseMatrix.of(rows, columns, table[rows, columns], (ITEMS, ITEMS))
        scorer = SparseHistoryScorer(*seen.rows(), matrix)
    names = Vocabulary([f"u{n}" for n in range(USERS)], "user"), Vocabulary([f"i{n}" for n in range(ITEMS)], "item")
    features = {"text": torch.randn(ITEMS, 6, generator=rng)}
    material = Material(features=features, present={"text": torch.ones(ITEMS, dtype=torch.bool)})
    return Bundle(scorer, *names, ("",) * ITEMS, seen, {}, material)


def told(found: list[Any]) -> tuple[list[str], list[float]]:
    """Ids, and the numbers that go with them."""
    ids = [getattr(one, "item_id", None) or one.user_id for one in found]
    numbers = [getattr(one, "score", None) or getattr(one, "similarity", 0.0) for one in found]
    return ids, numbers


QUESTIONS = {
    "recommend": lambda r: r.recommend("u3", 8),
    "varied": lambda r: r.recommend("u3", 8, diversity=0.5),
    "for a newcomer": lambda r: r.recommend_for(["i3", "i77", "i2"], 8),
    "similar": lambda r: r.similar("i5", 8),
    "fans": lambda r: r.audience("i5", 4),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_same_answers(name: str) -> None:
    dense, sparse = (told(QUESTIONS[name](Retriever(bundle(kind)))) for kind in ("dense", "sparse"))
    assert sparse[0] == dense[0] and len(dense[0]) >= 4
    assert sparse[1] == pytest.approx(dense[1], rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("way", ["foretold", "neighbors"])
def test_the_same_new_items(way: Any) -> None:
    new = {"text": torch.randn(3, 6, generator=torch.Generator().manual_seed(9))}
    own = {"text": torch.ones(3, dtype=torch.bool)}
    made = {kind: embed(bundle(kind), new, own, way) for kind in ("dense", "sparse")}
    torch.testing.assert_close(made["sparse"], made["dense"], rtol=1e-4, atol=1e-5)
    users, ids = torch.arange(USERS), ["a", "b", "c"]
    scores = {kind: extended(bundle(kind), ids, ids, made["dense"]).scorer(users) for kind in made}
    assert scores["dense"].shape == (USERS, ITEMS + 3) and scores["dense"][:, ITEMS:].abs().sum() > 0
    torch.testing.assert_close(scores["sparse"], scores["dense"])


def test_the_same_reasons() -> None:
    dense, sparse = (explain(bundle(kind), "u3", "i9") for kind in ("dense", "sparse"))
    assert [e.item_id for e in sparse.evidence] == [e.item_id for e in dense.evidence] and dense.evidence
    assert [e.share for e in sparse.evidence] == pytest.approx([e.share for e in dense.evidence])
    assert (sparse.rank, sparse.score) == (dense.rank, pytest.approx(dense.score))


def test_the_same_map() -> None:
    dense, sparse = (vectors(bundle(kind), "fused")[0] for kind in ("dense", "sparse"))
    torch.testing.assert_close(sparse, dense)


def test_the_same_export(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    pl = pytest.importorskip("polars")
    from viral.run.export import export

    tables = []
    for kind in ("dense", "sparse"):
        export(bundle(kind), tmp_path / kind)
        tables.append(pl.read_parquet(tmp_path / kind / "items.parquet"))
    assert tables[0].equals(tables[1])
    assert (tmp_path / "dense" / "scorer.onnx").read_bytes() == (tmp_path / "sparse" / "scorer.onnx").read_bytes()
