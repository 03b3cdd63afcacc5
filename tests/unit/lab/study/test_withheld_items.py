"""The cold-item benchmark withholds items from everything, and tells those who can place them from those who cannot."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from viral.base.errors import DataError, UsageError
from viral.base.recipe import MemoryConfig, Recipe, TrainConfig
from viral.data.features import FeatureTable
from viral.data.inputs import ModelInputs
from viral.lab.study.cold import withheld_items
from viral.lab.study.cold.withheld_items import PLACES, ByPlace, Withheld, by_chance, by_content, by_model, withhold
from viral.models import EmbeddingScorer
from viral.models.scorers import MemoryScorer
from viral.run.bundle import Bundle
from viral.run.configuration import configured
from viral.run.retrieval.new_items import extended
from viral.training import build_model
from worlds import World, two_tastes

TRAIN = TrainConfig(max_epochs=6, learning_rate=0.01, batch_size=256)
SMALL = {"embedding_dim": 8, "hidden_dim": 8, "crossmodal_dim": 8, "num_neighbors": 5}
DEFAULT = Recipe(model="viral", config=SMALL, train=replace(TRAIN, max_epochs=20))
LIGHT = Recipe(model="viral", config={**SMALL, "variant": "light"}, train=TRAIN)


@pytest.fixture(scope="module")
def world() -> World:
    """A hundred and twenty users and items: half of what is withheld is to a user's taste."""
    return two_tastes(120)


@pytest.fixture(scope="module")
def withheld(world: World) -> Withheld:
    return withhold(world.split, 0.5, seed=0)


def tables_of(world: World) -> dict[str, FeatureTable]:
    return {table.modality: table for table in world.tables}


def means(found: ByPlace) -> dict[str, float]:
    return {place: float(recalls.values.mean()) for place, recalls in found.items()}


def test_what_is_withheld_is_nowhere_else(world: World) -> None:
    parts = world.split
    found = withhold(parts, 0.5, seed=1)
    assert len(found.item_ids) == 60 and not set(found.item_ids) & set(found.split.items.ids)
    assert set(found.item_ids) | set(found.split.items.ids) == set(parts.items.ids)

    def pairs(part: object, ids: tuple[str, ...]) -> set[tuple[int, str]]:
        return {(u, ids[i]) for u, i in zip(part.users.tolist(), part.items.tolist(), strict=True)}

    told = pairs(found.relevant, found.item_ids)
    for name in ("train", "valid", "test"):
        kept = pairs(found.split.part(name), found.split.items.ids)
        everything = pairs(parts.part(name), parts.items.ids)
        assert kept == {(u, item) for u, item in everything if item not in found.item_ids}
        assert everything - kept <= told
    assert len(told) == sum(len(parts.part(name)) - len(found.split.part(name)) for name in ("train", "valid", "test"))


def test_seeds_withhold_different_items(world: World) -> None:
    tenths = [set(withhold(world.split, 0.1, seed).item_ids) for seed in range(10)]
    assert len(set.union(*tenths)) == 120 and sum(map(len, tenths)) == 120
    assert set(withhold(world.split, 0.1, 0).item_ids) == tenths[0]
    assert set(withhold(world.split, 0.1, 10).item_ids) not in tenths  # another permutation


def test_chance_is_exact(world: World) -> None:
    """Against drawn orders: the mean of random scores comes near, place by place."""
    found = withhold(world.split, 0.1, seed=2)
    expected = by_chance(found)
    rng = torch.Generator().manual_seed(0)
    drawn: dict[str, list[float]] = {place: [] for place in PLACES}
    for _ in range(20):
        scorer = EmbeddingScorer(torch.rand(120, 120, generator=rng), torch.eye(120))
        for place, recalls in withheld_items._recalls(scorer, found).items():
            drawn[place].append(float(recalls.values.mean()))
            assert np.array_equal(recalls.users, expected[place].users)
    assert means(expected)["withheld"] == 1.0  # twelve have twenty places
    for place in PLACES:
        assert np.mean(drawn[place]) == pytest.approx(means(expected)[place], abs=0.02)


def test_those_who_read_content_place_new_items(world: World, withheld: Withheld) -> None:
    tables = tables_of(world)
    chance = means(by_chance(withheld))
    assert chance["withheld"] == pytest.approx(20 / 60) and chance["all"] == pytest.approx(20 / 92, abs=0.01)
    answers = {("content", ""): by_content(withheld, tables)}
    recipes = {"viral": DEFAULT, "light": LIGHT}
    recipes["lightgcn"] = Recipe(model="lightgcn", config={"embedding_dim": 8}, train=TRAIN)
    for name, recipe in recipes.items():
        found, report = by_model(withheld, tables, configured(recipe), None)
        assert len(report.history) == recipe.train.max_epochs
        answers |= {(name, way): recalls for way, recalls in found.items()}
    assert list(answers)[1:] == [
        ("viral", "neighbors"), ("light", "own"), ("light", "neighbors"), ("lightgcn", "neighbors")
    ]  # fmt: skip
    for key, recalls in answers.items():
        assert means(recalls)["withheld"] > 0.6, key  # of thirty that are to the user's taste, twenty have a place
        assert means(recalls)["all"] > chance["all"] + 0.05, key


def test_what_ranks_is_what_a_run_would_leave(
    world: World, withheld: Withheld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the memory that the recipe or the model asks for, and by cosines after a loss of cosines."""
    ranking: list[Any] = []

    def watch(bundle: Bundle, *rest: Any) -> Bundle:
        ranking.append(bundle.scorer)
        return extended(bundle, *rest)

    monkeypatch.setattr(withheld_items, "extended", watch)
    memory = MemoryConfig(weight=1.0, feature_weight=30.0)  # of the kind that is the model's own
    by_model(withheld, tables_of(world), configured(replace(DEFAULT, memory=memory)), None)
    assert isinstance(ranking[-1], MemoryScorer)
    for loss in ("own", "softmax"):
        recipe = Recipe(model="lightgcn", config={"embedding_dim": 8}, train=replace(TRAIN, loss=loss))
        by_model(withheld, tables_of(world), configured(recipe), None)
        assert isinstance(ranking[-1], EmbeddingScorer)
        assert torch.allclose(ranking[-1].users.norm(dim=1), torch.ones(120)) is (loss == "softmax")


def test_a_rule_is_learnt_where_there_are_items_enough(world: World) -> None:
    recipe = Recipe(model="lightgcn", config={"embedding_dim": 8}, train=TRAIN)
    found, _ = by_model(withhold(world.split, 0.1, 0), tables_of(world), configured(recipe), None)
    assert list(found) == ["foretold", "neighbors"]
    # A tenth of the items are new: those of the user's taste are shown as often as known ones, of which 60 - 2 remain.
    assert means(found["foretold"])["all"] > 0.5


def test_features_without_information_give_chance(world: World, withheld: Withheld) -> None:
    """If the benchmark leaked, a model would place items whose features say nothing."""
    rng = np.random.default_rng(0)
    noise = {
        t.modality: FeatureTable(t.item_ids, t.modality, rng.normal(size=t.values.shape).astype(np.float32), "noise")
        for t in world.tables
    }
    found = [by_model(withheld, noise, configured(recipe), None)[0] for recipe in (DEFAULT, LIGHT)]
    for recalls in (by_content(withheld, noise), *(one for ways in found for one in ways.values())):
        assert means(recalls)["withheld"] == pytest.approx(20 / 60, abs=0.12)


def test_nonsense_is_refused(world: World, withheld: Withheld) -> None:
    for share in (0.0, 1.0):
        with pytest.raises(UsageError, match="withholds"):
            withhold(world.split, share, 0)
    few = {"text": FeatureTable(("i0", "i1"), "text", np.ones((2, 3), dtype=np.float32), "test")}
    with pytest.raises(DataError, match="no features at all"):
        by_content(withheld, few)


def test_models_are_trained_without_the_withheld(
    world: World, withheld: Withheld, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[ModelInputs] = []

    def spy(model: type, inputs: ModelInputs, *rest: object) -> object:
        given.append(inputs)
        return build_model(model, inputs, *rest)

    monkeypatch.setattr("viral.run.fitted_model.build_model", spy)
    by_model(withheld, tables_of(world), configured(Recipe(model="popularity")), None)
    assert given[0].train.num_items == 60 == len(given[0].features["text"])
    assert torch.isfinite(given[0].features["text"]).all()
