"""The cold-item benchmark withholds items from everything, and tells those who can place them from those who cannot."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from viral.data import ModelInputs
from viral.encode.table import FeatureTable
from viral.errors import DataError, UsageError
from viral.models import MODELS
from viral.recipe import Recipe, TrainConfig
from viral.retrieval.benchmark import CONTENT, RANDOM, cold_benchmark, withhold
from viral.training import build_model
from worlds import World, two_tastes

TRAIN = TrainConfig(max_epochs=6, learning_rate=0.01, batch_size=256)
SMALL = {"embedding_dim": 8, "hidden_dim": 8, "crossmodal_dim": 8, "num_neighbors": 5}
VIRAL = Recipe(model="viral", config=SMALL, train=TRAIN)


@pytest.fixture(scope="module")
def world() -> World:
    """A hundred and twenty users and items: half of what is withheld is to a user's taste."""
    return two_tastes(120)


def test_what_is_withheld_is_nowhere_else(world: World) -> None:
    parts = world.split
    found = withhold(parts, 0.5, seed=3)
    assert len(found.item_ids) == 60 and not set(found.item_ids) & set(found.split.items.ids)
    assert set(found.item_ids) | set(found.split.items.ids) == set(parts.items.ids)
    everything = set()
    for part in (parts.train, parts.valid, parts.test):
        everything |= {(u, parts.items.ids[i]) for u, i in zip(part.users.tolist(), part.items.tolist(), strict=True)}
    told = set()
    for part, ids in ((found.split.train, found.split.items.ids), (found.split.valid, found.split.items.ids),
                      (found.relevant, found.item_ids)):  # fmt: skip
        told |= {(u, ids[i]) for u, i in zip(part.users.tolist(), part.items.tolist(), strict=True)}
    missing = {item for _, item in everything - told}
    assert told <= everything and not missing & set(found.item_ids)  # only the others' test pairs are gone
    assert withhold(parts, 0.5, seed=3).item_ids == found.item_ids != withhold(parts, 0.5, seed=4).item_ids


def test_those_who_read_content_place_new_items_and_chance_does_not(world: World) -> None:
    tables = {table.modality: table for table in world.tables}
    recipes = {"viral": VIRAL, "lightgcn": Recipe(model="lightgcn", config={"embedding_dim": 8}, train=TRAIN)}
    rows = {(row.model, row.way): row for row in cold_benchmark(world.split, tables, recipes, share=0.5)}
    assert set(rows) == {
        (RANDOM, ""),
        (CONTENT, ""),
        ("viral", "own"),
        ("viral", "neighbors"),
        ("lightgcn", "neighbors"),
    }
    chance = rows[(RANDOM, "")]
    # 20 of 60 places; 20 of the 120 less some 28 that the user took.
    assert chance.cold.low < 20 / 60 < chance.cold.high and chance.overall.mean == pytest.approx(20 / 92, abs=0.02)
    for key in set(rows) - {(RANDOM, "")}:
        row = rows[key]
        assert row.cold.low > 0.6 and row.against_random.low > 0.2 and row.cold.low < row.cold.mean < row.cold.high
    assert rows[(CONTENT, "")].against_content.difference == 0


def test_features_without_information_give_chance(world: World) -> None:
    """If the benchmark leaked, a model would place items whose features say nothing."""
    rng = np.random.default_rng(0)
    noise = {
        t.modality: FeatureTable(t.item_ids, t.modality, rng.normal(size=t.values.shape).astype(np.float32), "noise")
        for t in world.tables
    }
    rows = cold_benchmark(world.split, noise, {"viral": VIRAL}, share=0.5)
    for row in rows:
        assert row.cold.mean == pytest.approx(20 / 60, abs=0.12), row


def test_seeds_are_pooled(world: World) -> None:
    tables = {table.modality: table for table in world.tables}
    one, other, both = (
        next(r for r in cold_benchmark(world.split, tables, {}, share=0.3, seeds=seeds) if r.model == RANDOM)
        for seeds in ((1,), (2,), (1, 2))
    )
    assert both.cold.mean == pytest.approx((one.cold.mean + other.cold.mean) / 2)
    assert both.cold.high - both.cold.low < one.cold.high - one.cold.low


def test_nonsense_is_refused(world: World) -> None:
    tables = {table.modality: table for table in world.tables}
    for share in (0.0, 1.0):
        with pytest.raises(UsageError, match="withholds"):
            cold_benchmark(world.split, tables, {}, share=share)
    with pytest.raises(UsageError, match="unknown model 'virall' of 'mine'"):
        cold_benchmark(world.split, tables, {"mine": replace(VIRAL, model="virall")})
    few = {"text": FeatureTable(("i0", "i1"), "text", np.ones((2, 3), dtype=np.float32), "test")}
    with pytest.raises(DataError, match="no features at all"):
        cold_benchmark(world.split, few, {}, share=0.5)


def test_models_are_trained_without_the_withheld(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = {table.modality: table for table in world.tables}
    given: list[ModelInputs] = []

    def spy(model: type, inputs: ModelInputs, *rest: object) -> object:
        given.append(inputs)
        return build_model(model, inputs, *rest)

    monkeypatch.setattr("viral.retrieval.benchmark.build_model", spy)
    cold_benchmark(world.split, tables, {"popularity": Recipe(model="popularity")}, share=0.5)
    assert given[0].train.num_items == 60 == len(given[0].features["text"]) and MODELS["popularity"]
    assert torch.isfinite(given[0].features["text"]).all()
