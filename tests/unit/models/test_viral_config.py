"""VIRAL's configuration: presets that only fill gaps, parts that exclude each other, the recipes of the readings."""

from copy import deepcopy
from dataclasses import asdict, fields, replace
from pathlib import Path

import pytest

from viral.base.errors import UsageError
from viral.base.recipe import Recipe, build
from viral.data.inputs import ModelInputs
from viral.models.viral.config import BeyondConfig
from viral.models.viral.paper import VIRAL, VIRALConfig
from viral.models.viral.paper_config import VARIANTS, ByVariant
from worlds import World, random_world, small_model

RECIPES = sorted((Path(__file__).parents[3] / "recipes").glob("amazon-baby/viral*.toml"))


@pytest.fixture(scope="module")
def world() -> World:
    return random_world(12, 20, 0.2, seed=3)


def test_the_presets_only_fill_what_is_left_out():
    paper = VIRALConfig(variant="paper", num_user_neighbors=7, crossmodal_dim=None, mask="zeros")
    assert (paper.num_user_neighbors, paper.crossmodal_dim, paper.mask) == (7, None, "zeros")
    assert (paper.alignment_weight, paper.user_weights, paper.embedding_dim) == (0.1, "softmax", 64)
    master = VIRALConfig(variant="master")
    assert (master.redundancy, master.projection, master.text_first) == (False, False, False)
    assert (master.unique_layers, master.alignment_weight) == (2, 0.001)
    assert VIRALConfig(variant="master", redundancy=True).projection is True


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("fusion", ["pid", "concat", "weighted", "attention"])
def test_no_default_stays_open(variant, fusion):
    config = VIRALConfig(variant=variant, fusion=fusion)
    assert [f.name for f in fields(config) if getattr(config, f.name) is ByVariant] == []
    assert replace(config) == config


@pytest.mark.parametrize(
    ("before", "changes", "after"),
    [
        ({}, {"variant": "paper"}, {"variant": "paper"}),
        ({"variant": "paper"}, {"variant": "light"}, {}),
        ({}, {"variant": "paper", "hidden_dim": 64}, {"variant": "paper", "hidden_dim": 64}),  # as light has it
        ({}, {"redundancy": True, "variant": "master"}, {"variant": "master", "redundancy": True}),
        ({"hidden_dim": 64}, {"variant": "paper"}, {"variant": "paper", "hidden_dim": 64}),
        ({"hidden_dim": 64}, {"item_graph": False}, {"hidden_dim": 64, "item_graph": False}),
        ({}, {"fusion": "concat"}, {"fusion": "concat"}),
        ({}, {"redundancy": False}, {"redundancy": False}),  # the projection follows
        ({"projection": True}, {"redundancy": False}, {"redundancy": False, "projection": True}),
    ],
    ids=str,
)
def test_a_change_takes_what_the_variant_says_of_all_that_was_never_given(before, changes, after):
    changed = replace(VIRALConfig(**before), **changes)
    assert changed == VIRALConfig(**after)
    assert replace(deepcopy(changed), variant="redu2") == VIRALConfig(**after | {"variant": "redu2"})


def test_what_was_written_out_in_full_stays_as_it_is():
    """A recipe, run.json or bundle has every field."""
    written = build(VIRALConfig, asdict(VIRALConfig()), where="run.json")
    assert written == VIRALConfig()
    assert replace(written, variant="paper") == VIRALConfig(**asdict(VIRALConfig()) | {"variant": "paper"})


def test_the_default_variant_is_another_configuration():
    with pytest.raises(UsageError, match="'paper' has other fields"):
        replace(BeyondConfig(), variant="paper")


@pytest.mark.parametrize(
    ("config", "word"),
    [
        ({"variant": "redu3"}, "variant"),
        ({"fusion": "concat", "synergy": "aligned"}, "concat"),
        ({"fusion": "weighted", "redundancy": True}, "weighted"),
        ({"fusion": "attention", "projection": True}, "attention"),
        ({"synergy": "interaction", "attention_tokens": 2}, "attention_tokens"),
        ({"attention_tokens": 0}, "attention_tokens"),
        ({"knowledge": "title", "visual": None}, "knowledge"),
        ({"unique_layers": 3}, "unique_layers"),
        ({"unique_layers": 0}, "unique_layers"),
        ({"alignment_weight": -0.1}, "alignment_weight"),
        ({"others": ("image", "image")}, "twice"),
        ({"others": ("text",)}, "twice"),
        ({"others": ("synergy",)}, "'synergy' cannot be"),
        ({"others": ("a.b",)}, r"'a\.b' cannot be"),
    ],
)
def test_refused(config, word, world):
    with pytest.raises(UsageError, match=word):
        small_model("viral-light", world, **config)


def test_random_features_need_a_width(world):
    config = VIRALConfig(text=None, visual="random")
    with pytest.raises(UsageError, match="width"):
        VIRAL(ModelInputs(world.split.train), config)


@pytest.mark.parametrize("path", RECIPES, ids=[path.stem for path in RECIPES])
def test_the_recipes_are_those_of_their_variants(path):
    recipe = Recipe.read(path)
    config = build(VIRALConfig, recipe.config, where=path.name)
    assert config == VIRALConfig(variant={"viral": "redu2"}.get(path.stem, path.stem.removeprefix("viral-")))
    published = (1e-3, 1024) if config.variant == "paper" else (1e-4, 2048)
    assert (recipe.train.learning_rate, recipe.train.batch_size) == published
