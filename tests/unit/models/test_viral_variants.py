"""The family of VIRAL: what each switch builds, and that whatever is built is trained."""

from dataclasses import replace

import pytest
import torch

from viral.data.inputs import ModelInputs
from viral.data.sampling import TripletSampler
from viral.models.viral.fusion import synergy
from viral.models.viral.paper import VIRAL, VIRALConfig
from viral.models.viral.paper_sources import graph_shares
from viral.training import build_model
from worlds import World, first_batch, random_world, small_model

CONFIGS = {
    "redu2": {},
    "master": {"variant": "master"},
    "paper": {"variant": "paper", "crossmodal_dim": 8},
    "no synergy": {"synergy": "off"},
    "no redundancy": {"redundancy": False},
    "no projection": {"projection": False},
    "no projection, no InfoNCE": {"projection": False, "alignment_weight": 0.0},
    "along the text": {"redundancy": False, "projection": True},
    "along the narrow text": {"redundancy": False, "projection": True, "synergy": "off", "crossmodal_dim": 3},
    "neither": {"synergy": "off", "redundancy": False},
    "no InfoNCE": {"alignment_weight": 0.0},
    "concat": {"fusion": "concat"},
    "concat, user weights": {"fusion": "concat", "user_weights": "free"},
    "weighted": {"fusion": "weighted"},
    "attention": {"fusion": "attention", "unique_layers": 2},
    "weighted, one source": {"fusion": "weighted", "visual": None},
    "no user weights": {"user_weights": "off"},
    "softmax of user weights": {"user_weights": "softmax"},
    "softmax of one": {"user_weights": "softmax", "visual": None},
    "no graphs of items and users": {"item_graph": False, "user_graph": False},
    "raw pictures": {"visual": "image"},
    "title only": {"visual": "title"},
    "random": {"visual": "random"},
    "text only": {"visual": None},
    "picture only": {"text": None},
    "learnt masks": {"mask": "learned"},
    "two layers": {"unique_layers": 2},
    "knowledge": {"knowledge": "title"},
    "knowledge, picture only": {"knowledge": "title", "text": None},
    "interaction": {"synergy": "interaction"},
    "interaction alone": {"synergy": "interaction", "redundancy": False, "crossmodal_dim": 3},
    "neighbours as tokens": {"attention_tokens": 4},
    "three sources": {"others": ("image",)},
    "three sources, narrow, learnt masks": {"others": ("image",), "crossmodal_dim": 4, "mask": "learned"},
    "three sources, interaction": {"others": ("image",), "synergy": "interaction"},
    "three sources, master": {"others": ("image",), "variant": "master", "attention_tokens": 3},
    "three sources, weighted": {"others": ("image",), "fusion": "weighted"},
    "three sources, attention": {"others": ("image",), "fusion": "attention"},
    "four sources": {"others": ("image", "title")},
    "two pictures, no text": {"text": None, "others": ("image",)},
}
every_config = pytest.mark.parametrize("config", CONFIGS.values(), ids=list(CONFIGS))


@pytest.fixture(scope="module")
def world() -> World:
    """Enough items that the interaction's fit leaves something; pictures' features are wider than the others."""
    world = random_world(40, 60, 0.1, seed=3)
    g = torch.Generator().manual_seed(1)
    features = {
        **world.inputs.features,
        "image": torch.randn(60, 9, generator=g),
        "title": torch.randn(60, 5, generator=g),
    }
    return replace(world, inputs=ModelInputs(world.split.train, features))


@every_config
def test_every_parameter_is_trained(config, world):
    model = small_model("viral-light", world, **config).train()
    rng = torch.Generator().manual_seed(0)
    model.on_epoch_start(rng)
    largest = dict.fromkeys((name for name, _ in model.named_parameters()), 0.0)
    for batch in TripletSampler(world.split.train).epoch(64, rng):
        model.zero_grad()
        torch.stack(list(model.loss(batch).values())).sum().backward()
        for name, parameter in model.named_parameters():
            if parameter.grad is not None:
                largest[name] = max(largest[name], parameter.grad.abs().max().item())
    assert {name for name, size in largest.items() if size < 1e-9} == set()  # rounding is not a gradient


@every_config
def test_the_ranking_depends_on_every_parameter(config, world):
    """Trained by the loss alone and never used in a score would be dead as well."""
    model = small_model("viral-light", world, **config).eval()
    users, items = model.embed()
    g = torch.Generator().manual_seed(0)
    (users @ items.T * torch.randn(len(users), len(items), generator=g)).sum().backward()
    dead = {name for name, p in model.named_parameters() if p.grad is None or p.grad.abs().max() < 1e-9}
    assert dead == set()


@every_config
def test_parts_state_and_seed(config, world):
    model, other, twin = (small_model("viral-light", world, seed, **config).eval() for seed in (0, 7, 0))
    users, items = model.embed()
    parts = model.scorer().split(3, 5)
    assert tuple(parts) == model.branches
    assert sum(parts.values()) == pytest.approx((users[3] @ items[5]).item(), rel=1e-4)
    assert not torch.equal(other.embed().items, items)
    assert torch.equal(twin.embed().items, items)
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.mul_(-3).add_(1)
    assert not torch.equal(twin.embed().items, items)
    twin.load_state_dict(model.state_dict())
    assert torch.equal(twin.embed().items, items) and torch.equal(twin.embed().users, users)


@pytest.mark.parametrize(
    ("config", "branches"),
    [
        ({}, ("text", "synergy", "unique_visual")),
        ({"variant": "master"}, ("visual", "synergy", "text")),
        ({"synergy": "off"}, ("text", "unique_visual")),
        ({"redundancy": False}, ("text", "synergy", "visual")),
        ({"projection": False}, ("text", "synergy", "redundant", "visual")),
        ({"fusion": "concat"}, ("text", "visual")),
        ({"fusion": "weighted"}, ("fused",)),
        ({"fusion": "attention", "visual": None}, ("text",)),
        ({"others": ("image",)}, ("text", "synergy", "unique_visual", "unique_image")),
        ({"text": None, "others": ("image",)}, ("visual", "synergy", "unique_image")),
        ({"text": None}, ("unique_visual",)),
    ],
)
def test_the_branches(config, branches, world):
    assert small_model("viral-light", world, **config).branches == branches


@pytest.mark.parametrize(
    ("config", "prefixes"),
    [
        ({"synergy": "off"}, ("synergy.",)),
        ({"redundancy": False}, ("redundancy.",)),
        ({"synergy": "off", "redundancy": False}, ("synergy.", "redundancy.", "projections.")),
        ({"fusion": "concat"}, ("synergy.", "redundancy.", "projections.", "branch_weights")),
        ({"user_weights": "off"}, ("branch_weights",)),
        ({"visual": None}, ("synergy.", "redundancy.", "projections.")),
    ],
)
def test_what_is_off_is_not_built(config, prefixes, world):
    def built(config: dict) -> set[str]:
        model = small_model("viral-light", world, crossmodal_dim=4, **config)
        return {prefix for prefix in prefixes for name, _ in model.named_parameters() if name.startswith(prefix)}

    assert built(config) == set()
    assert built({}) == set(prefixes)


def test_without_graphs_nobody_is_mixed_with_others(world):
    model = small_model("viral-light", world, item_graph=False, user_graph=False).train()
    model.on_epoch_start(torch.Generator().manual_seed(0))
    nodes = model.propagate(model.decompose()[0])
    assert torch.equal(model.links() @ nodes, nodes)


def test_lambda_zero_leaves_the_terms_out(world):
    batch = first_batch(world)
    assert list(small_model("viral-light", world).loss(batch)) == ["bpr", "reg", "synergy", "redundancy"]
    assert list(small_model("viral-light", world, alignment_weight=0.0).loss(batch)) == ["bpr", "reg"]
    assert list(small_model("viral-light", world, synergy="interaction").loss(batch)) == ["bpr", "reg", "redundancy"]
    assert list(small_model("viral-light", world, variant="master").loss(batch)) == ["bpr", "reg", "synergy"]


@pytest.mark.parametrize(("knowledge", "fixed"), [(None, True), ("title", False)])
def test_an_interaction_standardises_what_never_changes_once(knowledge, fixed, world, monkeypatch):
    model = small_model("viral-light", world, synergy="interaction", knowledge=knowledge)
    seen, standard = [], synergy._standard
    monkeypatch.setattr(synergy, "_standard", lambda x: seen.append(x) or standard(x))
    found = model.decompose()[1]["synergy"].value
    assert len(seen) == (0 if fixed else 2)
    if fixed:  # as if nothing were known of the sources
        monkeypatch.setattr(synergy.FixedInteraction, "standard", synergy.Interaction.standard)
    assert torch.equal(model.decompose()[1]["synergy"].value, found)
    with torch.no_grad():  # as a ranking computes it; what knowledge adds is part of it
        for parameter in () if fixed else model.knowledge.parameters():
            parameter.add_(0.5)
        assert torch.equal(model.decompose()[1]["synergy"].value, found) is fixed


def test_softmax_weights_are_shares(world):
    model = small_model("viral-light", world, user_weights="softmax", user_graph=False).eval()
    unweighed = small_model("viral-light", world, user_weights="off", user_graph=False).eval()
    unweighed.load_state_dict({k: v for k, v in model.state_dict().items() if k != "branch_weights"})
    weighted, plain = (one.embed().users for one in (model, unweighed))
    shares = (weighted / plain).view(model.num_users, 3, -1)
    torch.testing.assert_close(shares[:, :, 0].sum(1), torch.ones(model.num_users))
    torch.testing.assert_close(shares, shares[:, :, :1].expand_as(shares))


def test_random_features_are_the_seeds_and_tell_nothing(world):
    def drawn(seed: int) -> torch.Tensor:
        return small_model("viral-light", world, seed, visual="random").sources.features["visual"]

    assert torch.equal(drawn(1), drawn(1)) and not torch.equal(drawn(1), drawn(2))
    assert drawn(1).shape == world.inputs.features["description"].shape
    torch.testing.assert_close(drawn(1).norm(dim=1), torch.ones(60))


def test_each_source_has_its_share_of_the_item_graph():
    shares = graph_shares(VIRALConfig(others=("image",), visual_weight=0.6))
    assert shares == pytest.approx({"text": 0.4, "visual": 0.3, "image": 0.3})
    no_text = graph_shares(VIRALConfig(text=None, others=("image",), visual_weight=0.6))
    assert no_text == {"visual": 0.5, "image": 0.5}


def test_a_third_source_counts(world):
    other = dict(world.inputs.features) | {"image": world.inputs.features["image"].flip(0)}
    config = VIRALConfig(others=("image",), embedding_dim=4, num_neighbors=5, item_graph=False)
    one, two = (
        build_model(VIRAL, ModelInputs(world.split.train, f), config, 0).eval() for f in (world.inputs.features, other)
    )
    (parts, made), (parts_two, made_two) = one.decompose(), two.decompose()
    assert torch.equal(parts["text"], parts_two["text"])
    for name in ("synergy", "unique_visual", "unique_image"):
        assert not torch.allclose(parts[name], parts_two[name]), name
    assert [len(made[name].pairs) for name in ("synergy", "redundancy")] == [3, 6]
    assert not torch.allclose(made["synergy"].value, made_two["synergy"].value)
