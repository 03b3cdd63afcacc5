"""Parameters find their users and items again, by id, in a model of another size."""

from dataclasses import fields

import pytest
import torch

from viral.data.inputs import ModelInputs
from viral.data.interactions import Interactions
from viral.data.splitting import Split
from viral.data.vocabulary import Vocabulary
from viral.models import EmbeddingRecommender
from viral.run.bundle import Bundle
from viral.run.bundle_extras import Material
from viral.run.update.warm_start import axes_of, carry_over
from worlds import SMALL, ZOO, World, class_of, small_model, two_tastes

WIDTHS = {"text": 8, "description": 8, "image": 8}


def config_of(name: str) -> object:
    config = class_of(name).Config
    known = {f.name for f in fields(config)}
    return config(**{key: value for key, value in SMALL.items() if key in known} | dict(ZOO[name][1]))


@pytest.fixture(scope="module")
def world() -> World:
    return two_tastes(14)


@pytest.mark.parametrize("name", ZOO)
def test_what_the_axes_run_over(name: str, world: World) -> None:
    """Lengths of 14 users and 14 items could be anything; the axes say which is which."""
    model = small_model(name, world)
    axes = axes_of(class_of(name), config_of(name), WIDTHS)
    state = model.state_dict()
    assert axes.keys() == state.keys()
    sizes = {"users": 14, "items": 14, "nodes": 28}
    for key, tensor in state.items():
        assert len(axes[key]) == tensor.dim()
        assert all(tensor.shape[place] == sizes[axis] for place, axis in enumerate(axes[key]) if axis), key
    if name == "lightgcn":
        assert axes == {"user_embedding.weight": ("users", ""), "item_embedding.weight": ("items", "")}
    known = {key: one for key, one in axes.items() if any(one)}
    if name == "viral":
        assert known == {"preferences": ("", "users", ""), "taste": ("items", "")}
    if name == "viral-light":
        assert known == {"preferences": ("", "users", ""), "branch_weights": ("users", "")}


def shuffled(world: World) -> tuple[Split, ModelInputs]:
    """The same shop, items backwards; user 13 and item i13 have gone, a user "new" and an item "like i0" have come."""
    users = Vocabulary([*[f"u{n}" for n in range(12, -1, -1)], "new"], "user")
    items = Vocabulary(["like i0", *[f"i{n}" for n in range(12, -1, -1)]], "item")
    train = world.split.train
    kept = (train.users < 13) & (train.items < 13)
    log = Interactions(12 - train.users[kept], 13 - train.items[kept], 14, 14)
    features = {m: torch.cat([x[:1], x[:13].flip(0)]) for m, x in world.inputs.features.items()}
    return Split(log, log, log, users, items), ModelInputs(log, features)


@pytest.mark.parametrize("name", ["lightgcn", "viral", "viral-light", "freedom", "bpr", "mgcn"])
def test_rows_are_carried_over_by_id(name: str, world: World) -> None:
    old = small_model(name, world)
    with torch.no_grad():
        for parameter in old.parameters():
            parameter += torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1))
    material = Material(features=world.inputs.features, present=world.inputs.present, parameters=old.state_dict())
    model, config = ZOO[name]
    about = {"recipe": {"model": model, "config": dict(config)}}
    bundle = Bundle(old.scorer(), world.split.users, world.split.items, ("",) * 14, world.split.train, about, material)
    parts, inputs = shuffled(world)
    model = class_of(name)(inputs, config_of(name))
    assert isinstance(model, EmbeddingRecommender)
    fresh = {key: value.clone() for key, value in model.state_dict().items()}
    axes = axes_of(class_of(name), config_of(name), WIDTHS)
    taken = carry_over(model, axes, bundle, parts, inputs)
    assert 0 < taken < sum(value.numel() for value in fresh.values()) + 1
    for key, now in model.state_dict().items():
        before = old.state_dict()[key]
        if axes[key] == ("users", ""):
            assert torch.equal(now[:13], before[:13].flip(0)) and torch.equal(now[13], fresh[key][13])
        elif axes[key] == ("items", ""):
            assert torch.equal(now[1:], before[:13].flip(0))
            assert not torch.equal(now[0], fresh[key][0])
        elif axes[key] == ("nodes", ""):
            assert torch.equal(now[:13], before[:13].flip(0)) and torch.equal(now[15:], before[14:27].flip(0))
            even = before[14::2]  # what is like i0
            assert (
                now[14].min() >= even.min() and now[14].max() <= even.max() and not torch.equal(now[14], fresh[key][14])
            )
        elif not any(axes[key]):
            assert torch.equal(now, before)
