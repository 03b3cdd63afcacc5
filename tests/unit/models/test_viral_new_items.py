"""VIRAL's vectors of new items are those of a model that had known the items, without interactions, all along."""

from typing import Any

import pytest
import torch

from viral.data.inputs import ModelInputs
from viral.data.interactions import Interactions
from viral.graph import blocks
from viral.models import VIRAL
from viral.models.base import ItemFeatures, Trained
from viral.models.viral.new_items import link, reads_one_item
from viral.models.viral.paper_config import VIRALConfig
from worlds import World, small_model, two_tastes


@pytest.fixture(scope="module")
def world() -> World:
    """Item 12 is in nobody's history."""
    return two_tastes(12, cold=True)


def without_last(world: World) -> ModelInputs:
    train = world.split.train
    log = Interactions(train.users, train.items, train.num_users, 12)
    return ModelInputs(log, {name: values[:12] for name, values in world.inputs.features.items()})


def modalities_of(model: Any) -> tuple[str, ...]:
    trained = Trained(model.state_dict(), ItemFeatures({}, {}), model.unlinked())
    return type(model).new_item_modalities(model.config, trained)


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"variant": "master"},
        {"variant": "paper"},
        {"fusion": "concat"},
        {"fusion": "attention"},
        {"item_graph": False},
        {"knowledge": "image"},
        {"others": ("image",), "visual_weight": 0.3},
        {"text": None, "visual": "image"},
    ],
    ids=str,
)
@pytest.mark.parametrize("given", [True, False])
def test_as_if_the_item_had_been_there(world: World, config: dict[str, Any], given: bool) -> None:
    here = torch.ones(13, dtype=torch.bool)
    here[12] = given
    complete = ModelInputs(world.split.train, world.inputs.features, dict.fromkeys(world.inputs.features, here))
    model = small_model("viral-light", World(world.split, world.tables, complete), **config)
    expected = model.embed().items[12]

    inputs = without_last(world)
    known = VIRAL(inputs, model.config)
    known.load_state_dict(model.state_dict())
    table = known.unlinked()
    new = {name: world.inputs.features[name][12:] for name in modalities_of(model)}
    vectors = VIRAL.encode_new(model.config, model.state_dict(), new)
    present = dict.fromkeys(new, here[12:])
    all_there = dict.fromkeys(new, torch.ones(12, dtype=torch.bool))
    found = link(model.config, vectors, ItemFeatures(new, present), ItemFeatures(inputs.features, all_there), table)
    assert torch.allclose(found[0], expected, atol=1e-5)
    assert given or torch.allclose(found, (1 + bool(model.config.item_graph)) * vectors)


@pytest.mark.parametrize("entries", [1, 24, 25])
def test_many_newcomers_are_linked_in_blocks(world: World, entries: int, monkeypatch: pytest.MonkeyPatch) -> None:
    model = small_model("viral-light", world, others=("image",), visual_weight=0.3)
    names, table = modalities_of(model), model.unlinked()
    rng = torch.Generator().manual_seed(0)
    new = ItemFeatures({m: torch.randn(7, 8, generator=rng) for m in names}, dict.fromkeys(names, torch.arange(7) != 4))
    known = ItemFeatures(world.inputs.features, dict.fromkeys(names, torch.arange(13) % 3 > 0))
    vectors = torch.randn(7, table.shape[1], generator=rng)
    expected = link(model.config, vectors, new, known, table)
    monkeypatch.setattr(blocks, "BLOCK_ENTRIES", entries)
    torch.testing.assert_close(link(model.config, vectors, new, known, table), expected)


def test_encoding_leaves_the_random_state_alone(world: World) -> None:
    model = small_model("viral-light", world)
    before = torch.get_rng_state()
    VIRAL.encode_new(
        model.config, model.state_dict(), {name: world.inputs.features[name][:2] for name in ("text", "description")}
    )
    assert torch.equal(torch.get_rng_state(), before)


def test_parts_that_look_at_the_whole_catalogue_have_no_such_way(world: World) -> None:
    for config in ({"attention_tokens": 3}, {"synergy": "interaction"}, {"visual": "random"}):
        model = small_model("viral-light", world, **config)
        assert not reads_one_item(model.config) and model.unlinked() is None
    assert reads_one_item(VIRALConfig())
    for name in ("lightgcn", "viral"):
        model = small_model(name, world)
        assert model.unlinked() is None and modalities_of(model) == ()


def test_the_tables_before_and_after_the_item_graph(world: World) -> None:
    model = small_model("viral-light", world)
    table = model.unlinked()
    assert torch.allclose(table + model.links.item_graph @ table, model.scorer().items, atol=1e-6)
    assert model.training
