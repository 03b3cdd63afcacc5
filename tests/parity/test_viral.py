"""VIRAL against the same method written plainly: representations, every loss term and every gradient.

Both compute in double; what is left of a difference are the graphs' weights, which are built in single precision.
"""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from plain_viral import plain_viral
from viral.data.inputs import ModelInputs
from viral.models.viral.paper import VIRAL
from worlds import World, first_batch, random_world, small_model

VARIANTS = {
    "as it comes": {},
    "as published": {"variant": "redu2"},
    "more items asked for than there are": {"variant": "redu2", "alignment_items": 20},
    "one layer, other weights": {
        "variant": "redu2",
        "num_layers": 1,
        "visual_weight": 0.2,
        "reg_weight": 0.3,
        "temperature": 0.4,
    },
    "aligned on a part of the items": {"alignment_items": 10, "alignment_weight": 2.0},
    "narrow": {"crossmodal_dim": 4},
    "text only": {"visual": None},
    "picture only": {"text": None},
    "picture only, another modality": {"text": None, "visual": "image"},
    "few neighbours": {"num_neighbors": 2, "num_user_neighbors": 1},
    "master": {"variant": "master"},
    "master, another modality": {"variant": "master", "visual": "image"},
    "paper": {"variant": "paper", "crossmodal_dim": 5},
    "paper, at its own width": {"variant": "paper", "alignment_items": 12},
}


@pytest.fixture(scope="module")
def world() -> World:
    """25 users, 20 items, both with some that train never sees; the picture's features are wider than the text's."""
    world = random_world(25, 20, 0.15, seed=5)
    train = world.split.train
    kept = (train.users != 3) & (train.items != 7)
    train = replace(train, users=train.users[kept], items=train.items[kept])
    g = torch.Generator().manual_seed(2)
    features = {"text": torch.randn(20, 6, generator=g), "description": torch.randn(20, 6, generator=g)}
    features["image"] = torch.randn(20, 9, generator=g)
    return replace(world, split=replace(world.split, train=train), inputs=ModelInputs(train, features))


def make(world: World, variant: dict) -> VIRAL:
    settings = {"embedding_dim": 5, "resample_user_graph": False, "alignment_weight": 0.1}
    model = small_model("viral-light", world, seed=1, **(settings | variant)).double()
    with torch.no_grad():  # biases and norms start at 0 and 1, where a mistake could hide
        for parameter in model.parameters():
            parameter.add_(
                0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(parameter.numel()))
            )
    return model


def plain(model: VIRAL, world: World, **options: Tensor):
    weights = {name: p.detach().clone().requires_grad_() for name, p in model.named_parameters()}
    roles = {"text": model.config.text, "visual": model.config.visual}
    features = {role: world.inputs.features[m].double() for role, m in roles.items() if m is not None}
    return weights, *plain_viral(weights, model.config, world.split.train, features, **options)


def check(model: VIRAL, world: World, **options: Tensor) -> None:
    weights, users, items, loss = plain(model, world, **options)
    embeddings = model.embed()
    torch.testing.assert_close(embeddings.users, users, rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(embeddings.items, items, rtol=1e-5, atol=1e-7)
    batch = first_batch(world, 16)
    ours, theirs = model.loss(batch), loss(batch)
    assert ours.keys() == theirs.keys()
    for name, term in ours.items():
        torch.testing.assert_close(term, theirs[name], rtol=1e-6, atol=1e-8, msg=lambda m, name=name: f"{name}: {m}")
    sum(ours.values()).backward()
    sum(theirs.values()).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad.abs().max() > 0, name
        torch.testing.assert_close(
            parameter.grad, weights[name].grad, rtol=1e-5, atol=1e-7, msg=lambda m, name=name: f"{name}: {m}"
        )


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=list(VARIANTS))
def test_forward_losses_and_gradients(variant, world):
    check(make(world, variant), world)


@pytest.mark.parametrize("crossmodal_dim", [None, 4], ids=["the text's width", "narrow"])
def test_features_of_different_widths_are_projected(crossmodal_dim, world):
    model = make(world, {"visual": "image", "crossmodal_dim": crossmodal_dim})
    assert {name for name in model.projections if list(model.projections[name].parameters())} == (
        {"visual"} if crossmodal_dim is None else {"text", "visual"}
    )
    check(model, world)


def test_training_uses_the_resampled_user_graph_and_evaluation_does_not(world):
    model = make(world, {"resample_user_graph": True, "num_user_neighbors": 6})
    model.train()
    model.on_epoch_start(torch.Generator().manual_seed(0))
    users = model.num_users
    drawn, full = (
        2 * both.to_torch().to_dense()[:users, :users] - torch.eye(users)
        for both in (model.links.of_epoch, model.links.full)
    )
    check(model, world, user_graph=drawn)
    assert not torch.allclose(drawn, full)
    model.eval()
    _, users, _, _ = plain(model, world)
    torch.testing.assert_close(model.embed().users, users, rtol=1e-5, atol=1e-7)


def test_without_resampling_an_epoch_draws_nothing(world):
    model = make(world, {"resample_user_graph": False, "num_user_neighbors": 6})
    rng = torch.Generator().manual_seed(0)
    before = rng.get_state()
    model.on_epoch_start(rng)
    assert model.links.of_epoch is model.links.full
    assert torch.equal(rng.get_state(), before)


def test_the_parts_are_the_branches(world):
    model = make(world, {}).eval()
    _, users, items, _ = plain(model, world)
    parts = model.scorer().split(2, 7)
    assert list(parts) == ["text", "synergy", "unique_visual"]
    blocks = [(users[2, n : n + 5] * items[7, n : n + 5]).sum().item() for n in (0, 5, 10)]
    assert list(parts.values()) == pytest.approx(blocks, rel=1e-6)
