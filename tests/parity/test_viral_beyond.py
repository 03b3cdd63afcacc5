"""VIRAL's default variant against the same method written with plain operations: representations and gradients."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from viral.data.inputs import ModelInputs
from viral.models.viral.features import centred, unexplained
from viral.models.viral.model import VIRALBeyond
from worlds import World, dense, first_batch, random_world, small_model

VARIANTS = {
    "as it comes": {"sources": ("text", "image")},
    "one source": {"sources": ("text",)},
    "three sources": {"sources": ("text", "image", "description")},
    "no content": {"sources": ()},
    "no synergy": {"sources": ("text", "image"), "synergy": False},
    "raw picture": {"sources": ("text", "image"), "unique": "raw"},
    "no taste": {"sources": ("text", "image"), "taste": False},
    "no item graph": {"sources": ("text",), "item_graph": False},
    "half of the item graph by co-occurrence": {"sources": ("text",), "co_occurrence_weight": 0.5},
    "two sources and co-occurrence": {"sources": ("text", "image"), "co_occurrence_weight": 0.3},
    "no content, co-occurrence alone": {"sources": (), "co_occurrence_weight": 0.5},
    "one layer": {"sources": ("text", "image"), "num_layers": 1},
    "user graph": {"sources": ("text",), "user_graph": True, "num_user_neighbors": 3},
}


@pytest.fixture(scope="module")
def world() -> World:
    return random_world(25, 20, 0.2, seed=5)


def make(world: World, variant: dict) -> VIRALBeyond:
    return small_model("viral", world, seed=1, embedding_dim=5, num_neighbors=3, **variant).double()


def adjacency(world: World) -> Tensor:
    x = dense(world.split.train)
    users, items = x.shape
    whole = torch.zeros(users + items, users + items, dtype=torch.float64)
    whole[:users, users:], whole[users:, :users] = x, x.T
    degrees = whole.sum(dim=1)
    scale = torch.where(degrees > 0, degrees.rsqrt(), 0.0)
    return scale[:, None] * whole * scale


def knn(x: Tensor, k: int) -> Tensor:
    cosines = F.normalize(x, dim=1) @ F.normalize(x, dim=1).T
    return torch.zeros_like(cosines).scatter_(1, cosines.topk(k).indices, 1 / k)


def together(world: World, k: int) -> Tensor:
    x = dense(world.split.train)
    common, degrees = x.T @ x, x.sum(dim=0)
    likeness = (common / ((degrees[:, None] * degrees).sqrt() + 10)).fill_diagonal_(0)
    best = likeness.topk(k)
    chosen = (best.values > 0).double()
    return torch.zeros_like(likeness).scatter_(1, best.indices, chosen / chosen.sum(dim=1, keepdim=True).clamp(min=1))


def synergy_of(part: torch.nn.Module, a: Tensor, b: Tensor) -> Tensor:
    """The product of both projections less its least-squares fit from [1, a, b], each column at a spread of 1."""
    standard = [(x - x.mean(dim=0)) / (x - x.mean(dim=0)).square().mean().sqrt() for x in (a, b)]
    product = (standard[0] @ part.from_text.weight.T) * (standard[1] @ part.from_visual.weight.T)
    rest = product - part.basis @ (part.basis.T @ product)
    return rest / rest.square().mean(dim=0).sqrt()


def written_out(model: VIRALBeyond, world: World, variant: dict) -> tuple[Tensor, Tensor]:
    inputs: ModelInputs = world.inputs
    names, there = variant["sources"], torch.ones(20, dtype=torch.bool)
    x = {name: centred(inputs.feature(name), there).double() for name in names}
    told = dict(x)
    for place, name in enumerate(names[1:], start=1):
        before = torch.cat([x[other].float() for other in names[:place]], dim=1)
        if variant.get("unique", "ridge") == "ridge":
            told[name] = unexplained(inputs.feature(name), before, there).double()
    branches = [told[name] for name in names]
    if "synergy" in model.branches:
        parts = list(getattr(model.synergy, "parts", [model.synergy]))
        pairs = [(a, b) for place, a in enumerate(names) for b in names[place + 1 :]]
        made = [synergy_of(part, x[a], x[b]) for part, (a, b) in zip(parts, pairs, strict=True)]
        branches.append(torch.stack(made).mean(dim=0))
    if "taste" in model.branches:
        branches.append(model.taste)
    columns = []
    for preference, encoder, part in zip(model.preferences, model.encoders.values(), branches, strict=True):
        ego = F.normalize(torch.cat([preference, encoder(part)]), dim=1)
        layers = [ego]
        for _ in range(variant.get("num_layers", 2)):
            layers.append(adjacency(world) @ layers[-1])
        columns.append(torch.stack(layers).sum(dim=0))
    users, items = torch.cat(columns, dim=1).tensor_split([25])
    if variant.get("user_graph"):
        users = users + model.user_graph.full.to_torch().to_dense().double() @ users
    if variant.get("item_graph", True):
        share = variant.get("co_occurrence_weight", 0.0)
        graph = share * together(world, 3)
        for name in names:
            graph = graph + (1 - share) / len(names) * knn(x[name], 3)
        items = items + graph @ items
    return F.normalize(users, dim=1), F.normalize(items, dim=1)


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
def test_representations_and_gradients(variant, world):
    model = make(world, variant).eval()
    ours, plain = model.embed(), written_out(model, world, variant)
    for found, wanted in zip(ours, plain, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-6)
    g = torch.Generator().manual_seed(7)
    weights = [torch.randn(table.shape, generator=g, dtype=torch.float64) for table in plain]
    parameters = dict(model.named_parameters())
    gradients = [
        torch.autograd.grad(sum((w * t).sum() for w, t in zip(weights, tables, strict=True)), parameters.values())
        for tables in (ours, plain)
    ]
    for name, found, wanted in zip(parameters, *gradients, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-6, msg=lambda text, name=name: f"{name}: {text}")


def test_the_parts_of_a_score_are_the_branches(world):
    model = make(world, {"sources": ("text", "image")})
    assert list(model.parts) == ["text", "unique_image", "synergy", "taste"]
    scorer = model.scorer()
    split = scorer.split(3, 4)
    assert sum(split.values()) == pytest.approx(float(scorer(torch.tensor([3]))[0, 4]))


def test_an_epoch_leaves_out_its_share_of_the_edges(world):
    model = make(world, {"sources": ("text",), "edge_dropout": 0.4})
    model.train()
    model.on_epoch_start(torch.Generator().manual_seed(0))
    kept = len(model.interactions.of_epoch.values) / len(model.interactions.full.values)
    assert 0.45 < kept < 0.75
    in_training = model.embed().users
    assert not torch.equal(in_training, model.eval().embed().users)


def test_its_own_loss_is_bpr_of_cosines_over_the_temperature(world):
    model, batch = make(world, {"sources": ("text",)}), first_batch(world, 16)
    users, items = model.embed()
    u = users[batch.users]
    apart = ((u * items[batch.positives]).sum(1) - (u * items[batch.negatives]).sum(1)) / 0.2
    torch.testing.assert_close(model.loss(batch)["bpr"], F.softplus(-apart).mean())
