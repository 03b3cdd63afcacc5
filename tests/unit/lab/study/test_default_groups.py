"""The studies of VIRAL's default variant: what each row is, what it is given, and that no other variant takes them."""

from collections import Counter
from dataclasses import replace

import pytest

from viral.base.errors import UsageError
from viral.base.recipe import MemoryConfig, Recipe, TrainConfig
from viral.lab.study.ablation.ablation import ablation_cells, chosen, recipe_of
from viral.lab.study.ablation.variants import DEFAULT_BEYOND, FULL, GROUPS, Variant
from viral.lab.study.feature_reads import reads_of
from viral.models.viral.config import BeyondConfig
from viral.run.configuration import configured

BASE = Recipe(model="viral", config={"embedding_dim": 32}, train=TrainConfig(max_epochs=40, seed=9))
LIGHT = Recipe(model="viral", config={"variant": "light"})
THERE = dict.fromkeys(("text", "title", "description", "words", "image", "audio"), "test")


def test_the_default_studies_are_those_of_the_base() -> None:
    assert tuple(study.name for study in chosen(None, BASE)) == DEFAULT_BEYOND == ("anchors", "components")
    every = {study.name for study in chosen(["all"], BASE)}
    assert every == {name for name, study in GROUPS.items() if study.of != "published"}
    assert every & {study.name for study in chosen(["all"], LIGHT)} == {"anchors"}


def test_every_row_is_a_configuration_and_no_two_of_a_study_are_the_same() -> None:
    """Nor is one the full model, which would then be compared with itself."""
    cells, left_out = ablation_cells(BASE, chosen(["all"], BASE), [0, 1], THERE)
    assert not left_out
    full = next(cell.model_key for cell in cells if cell.name == FULL)
    for study in chosen(["all"], BASE):
        keys = Counter(cell.model_key for cell in cells if cell.group == study.name)
        assert len(keys) == len(study.variants) and set(keys.values()) == {2}, study.name
        assert (full in keys) is (study.name == "anchors")


def test_rows_differ_from_the_full_model_in_what_they_say_and_nothing_else() -> None:
    cells = {cell.name: cell for cell in ablation_cells(BASE, chosen(["components"], BASE), [3], THERE)[0]}
    full = replace(BASE, train=replace(BASE.train, seed=3))
    assert cells[FULL].recipe == full
    config = {
        "no taste": {"taste": False},
        "no synergy": {"synergy": False},
        "raw, not unique": {"unique": "raw"},
        "with co-occurrence": {"co_occurrence_weight": 0.5},
        "no item graph": {"item_graph": False},
        "no edge dropout": {"edge_dropout": 0.0},
        "with user graph": {"user_graph": True},
    }
    for name, settings in config.items():
        assert configured(cells[name].recipe).config == BeyondConfig(embedding_dim=32, **settings)
        assert (cells[name].recipe.train, cells[name].recipe.memory) == (full.train, full.memory)
    off, own = MemoryConfig(kind="off"), replace(full.train, loss="own")
    assert cells["no memory"].recipe == replace(full, memory=off)
    assert cells["BPR for softmax"].recipe == replace(full, train=own)
    assert cells["BPR, no memory"].recipe == replace(full, train=own, memory=off)


def test_other_models_are_not_trained_as_this_variant_is() -> None:
    """Their own defaults, or the published ones; below a published reading, the base's training, as before."""
    beyond = {cell.name: cell.recipe for cell in ablation_cells(BASE, chosen(["anchors"], BASE), [3], THERE)[0]}
    assert beyond["LightGCN"] == Recipe(model="lightgcn", train=TrainConfig(seed=3))
    assert configured(beyond["LightGCN"]).recipe.train.loss == "own"
    light = replace(LIGHT, train=TrainConfig(batch_size=64))
    other = {cell.name: cell.recipe for cell in ablation_cells(light, chosen(["anchors"], light), [3], THERE)[0]}
    assert other["LightGCN"] == Recipe(model="lightgcn", train=TrainConfig(batch_size=64, seed=3))


@pytest.mark.parametrize(
    ("settings", "reads"),
    [
        ({}, ("text", "image", "audio", "description")),  # the data decide
        ({"sources": ["auto", "words"]}, ("text", "image", "audio", "description", "words")),
        ({"sources": []}, ()),
        ({"sources": ["text", "image"]}, ("text", "image")),
        ({"sources": ["title", "shuffled:words", "random:title"]}, ("title", "words")),
    ],
)
def test_a_row_is_given_what_its_sources_name(settings: dict[str, list[str]], reads: tuple[str, ...] | None) -> None:
    assert reads_of(recipe_of(BASE, Variant(name="row", settings=settings)), THERE) == reads


def test_a_row_without_its_features_is_left_out_by_name() -> None:
    cells, left_out = ablation_cells(BASE, chosen(["sources", "senses"], BASE), [0], {"title": "test", "image": "test"})
    assert {row.modality for row in left_out} == {"description", "audio"}
    assert {(cell.group, cell.name) for cell in cells} == {
        ("anchors", FULL), ("anchors", "LightGCN"), ("anchors", "Popularity"),
        ("sources", "no content"), ("sources", "title"), ("sources", "picture alone"), ("sources", "title + picture"),
        ("sources", "title + shuffled picture"), ("sources", "title + random picture"),
        ("senses", "no content"), ("senses", "picture"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "base", "way"), [("fusion", BASE, "--set variant=light"), ("components", LIGHT, "leave variant out")]
)
def test_a_study_of_another_variant_says_which_variant_has_it(name: str, base: Recipe, way: str) -> None:
    with pytest.raises(UsageError, match=f"study '{name}' is not of this variant") as caught:
        chosen([name], base)
    assert way in caught.value.hint and "anchors" in caught.value.hint


def test_an_unknown_study_names_the_nearest_of_its_variant() -> None:
    with pytest.raises(UsageError, match="unknown study 'componnents'") as caught:
        chosen(["componnents"], BASE)
    assert "components" in caught.value.hint
    with pytest.raises(UsageError, match="unknown study") as caught:
        chosen(["fusoin"], BASE)
    assert "fusion" not in caught.value.hint
