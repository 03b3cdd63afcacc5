"""MMGCN against a loop over nodes, written from its description."""

import pytest
import torch
import torch.nn.functional as F

from viral.base.errors import UsageError
from viral.graph import SparseMatrix
from viral.graph.functions import unit_rows
from viral.models.baselines import mmgcn
from worlds import World, dense, first_batch, random_world, small_model

SOURCES = {
    "both": ({}, {"visual": "image", "text": "text"}),
    "text only": ({"visual": None}, {"text": "text"}),
    "picture only": ({"text": None, "visual": "description"}, {"visual": "description"}),
    "brought to other widths": ({"visual_dim": None, "text_dim": 4}, {"visual": "image", "text": "text"}),
}


@pytest.fixture(scope="module")
def world() -> World:
    return random_world(30, 18, 0.2, seed=3)


def linear(w, name, x):
    return x @ w[f"{name}.weight"].T + w.get(f"{name}.bias", 0)


def leaky(x):
    return torch.where(x > 0, x, 0.01 * x)


def mean_of_neighbours(world, x):
    taken = dense(world.split.train)
    rows = []
    for node in range(48):
        near = (
            [30 + i for i in range(18) if taken[node, i]]
            if node < 30
            else [u for u in range(30) if taken[u, node - 30]]
        )
        rows.append(x[near].mean(0) if near else torch.zeros_like(x[0]))
    return torch.stack(rows)


def plain(w, world, sources, num_layers):
    nodes = 0
    for role, modality in sources.items():
        name = f"networks.{role}"
        x = world.inputs.features[modality].double()
        if f"{name}.encoder.weight" in w:
            x = linear(w, f"{name}.encoder", x)
        x = torch.cat([w[f"{name}.preferences"], x])
        x = x / x.norm(dim=1, keepdim=True)
        for layer in range(num_layers):
            h = leaky(mean_of_neighbours(world, x @ w[f"{name}.gather.{layer}.weight"].T))
            seen = leaky(linear(w, f"{name}.transfer.{layer}", x)) + w["ids"]
            x = leaky(linear(w, f"{name}.join.{layer}", torch.cat([h, seen], dim=1)))
        nodes = nodes + x / len(sources)
    return nodes.split([30, 18])


def losses(w, world, users, items, batch, sources):
    u, p, n = batch.users, batch.positives, batch.negatives
    bpr = -F.logsigmoid((users[u] * (items[p] - items[n])).sum(1)).mean()
    ids = (w["ids"][torch.cat([u, 30 + p, 30 + n])] ** 2).mean()
    return {"bpr": bpr, "reg": 0.7 * (ids + sum((w[f"networks.{m}.preferences"][u] ** 2).mean() for m in sources))}


@pytest.mark.parametrize("train_ids", [True, False])
@pytest.mark.parametrize("num_layers", [1, 3])
@pytest.mark.parametrize(("settings", "sources"), SOURCES.values(), ids=SOURCES)
def test_mmgcn(settings, sources, num_layers, train_ids, world):
    chosen = {"num_layers": num_layers, "train_ids": train_ids, "reg_weight": 0.7, **settings}
    model = small_model("mmgcn", world, **chosen).double()
    weights = {name: x.detach().clone().requires_grad_() for name, x in model.state_dict().items()}
    assert ("ids" in dict(model.named_parameters())) is train_ids
    users, items = plain(weights, world, sources, num_layers)
    embeddings = model.embed()
    torch.testing.assert_close(embeddings.users, users, rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(embeddings.items, items, rtol=1e-5, atol=1e-7)
    batch = first_batch(world, 20)
    theirs = losses(weights, world, users, items, batch, sources)
    if not train_ids:
        del theirs["reg"]
    ours = model.loss(batch)
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-7)
    sum(ours.values()).backward()
    sum(theirs.values()).backward()
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(
            parameter.grad, weights[name].grad, rtol=1e-4, atol=1e-7, msg=lambda m, name=name: f"{name}: {m}"
        )


@pytest.mark.parametrize(("text_dim", "recomputed"), [(None, {"visual"}), (4, {"visual", "text"})])
def test_features_that_stay_as_they_are_are_brought_to_unit_length_and_heard_once(
    text_dim, recomputed, world, monkeypatch
):
    model = small_model("mmgcn", world, text_dim=text_dim, num_layers=2)
    tables, products, multiply = [], [], SparseMatrix.multiply
    monkeypatch.setattr(mmgcn, "unit_rows", lambda x: tables.append(x) or unit_rows(x))
    monkeypatch.setattr(SparseMatrix, "multiply", lambda self, x: products.append(x) or multiply(self, x))
    model.embed()
    assert [len(table) for table in tables].count(18) == len(recomputed)
    assert len(products) == 2 * 2 * 2 - (2 - len(recomputed))
    assert not any("features" in name or "heard" in name for name in model.state_dict())


@pytest.mark.parametrize("settings", [{"visual_dim": 0}, {"num_layers": 0}, {"reg_weight": -1.0}])
def test_a_setting_out_of_range_is_refused(settings, world):
    with pytest.raises(UsageError, match=next(iter(settings))):
        small_model("mmgcn", world, **settings)
