"""GRCN against dense attention written from its description."""

import pytest
import torch
import torch.nn.functional as F

from viral.base.errors import UsageError
from worlds import World, dense, first_batch, random_world, small_model

SOURCES = {
    "both": ({}, {"visual": "image", "text": "text"}),
    "text only": ({"visual": None}, {"text": "text"}),
    "picture only": ({"text": None, "visual": "description"}, {"visual": "description"}),
}


@pytest.fixture(scope="module")
def world() -> World:
    return random_world(30, 18, 0.2, seed=3)


def unit(x):
    return x / (x**2).sum(1, keepdim=True) ** 0.5


def attention(logits, mask):
    """Softmax over the neighbours of each row; a row without any has zeros."""
    rows = []
    for row, there in zip(logits, mask, strict=True):
        full = torch.zeros_like(row)
        if there.any():
            full = full.index_put((there.nonzero()[:, 0],), torch.softmax(row[there], dim=0))
        rows.append(full)
    return torch.stack(rows)


def plain(w, world, sources, *, num_routings, num_layers):
    taken = dense(world.split.train) > 0
    both = torch.zeros(48, 48, dtype=torch.bool)
    both[:30, 30:], both[30:, :30] = taken, taken.T
    views, supports = [], []
    for place, (role, modality) in enumerate(sources.items()):
        name = f"views.{role}"
        x = world.inputs.features[modality].double()
        items = unit(F.leaky_relu(x @ w[f"{name}.projection.weight"].T + w[f"{name}.projection.bias"], 0.01))
        users = unit(w[f"{name}.preferences"])
        for _ in range(num_routings):
            users = unit(users + attention(users @ items.T, taken) @ items)
        nodes = torch.cat([users, items])
        alpha = attention(nodes @ nodes.T, both)
        views.append(nodes + alpha @ nodes)
        supports.append(alpha * w["confidence"][:, place])  # columns are the sources of messages
    refined = torch.relu(torch.stack(supports).max(dim=0).values)
    layers = [unit(w["ids"])]
    for _ in range(num_layers):
        layers.append(refined @ layers[-1])
    return torch.cat([sum(layers), *views], dim=1).split([30, 18])


@pytest.mark.parametrize(("num_routings", "num_layers"), [(3, 2), (0, 2), (1, 1)])
@pytest.mark.parametrize(("settings", "sources"), SOURCES.values(), ids=SOURCES)
def test_grcn(settings, sources, num_routings, num_layers, world):
    numbers = {"num_routings": num_routings, "num_layers": num_layers}
    model = small_model("grcn", world, reg_weight=0.7, **numbers, **settings).double()
    with torch.no_grad():  # some edges are pruned, and the modalities are believed in differently
        model.confidence.copy_(torch.randn(48, len(sources), generator=torch.Generator().manual_seed(2)))
    weights = {name: p.detach().clone().requires_grad_() for name, p in model.named_parameters()}
    users, items = plain(weights, world, sources, **numbers)
    embeddings = model.embed()
    torch.testing.assert_close(embeddings.users, users, rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(embeddings.items, items, rtol=1e-5, atol=1e-7)
    assert list(model.parts) == ["id", *sources]

    batch = first_batch(world, 20)
    u, p, n = batch.users, batch.positives, batch.negatives
    squares = (weights["ids"][torch.cat([u, 30 + p, 30 + n])] ** 2).mean()
    squares = squares + sum((weights[f"views.{role}.preferences"][u] ** 2).mean() for role in sources)
    theirs = {"bpr": -F.logsigmoid((users[u] * (items[p] - items[n])).sum(1)).mean(), "reg": 0.7 * squares}
    ours = model.loss(batch)
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-7)
    sum(ours.values()).backward()
    sum(theirs.values()).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad.abs().max() > 1e-9, name
        torch.testing.assert_close(
            parameter.grad, weights[name].grad, rtol=1e-4, atol=1e-7, msg=lambda m, name=name: f"{name}: {m}"
        )


@pytest.mark.parametrize("settings", [{"num_routings": -1}, {"num_layers": 0}, {"reg_weight": -1.0}])
def test_a_setting_out_of_range_is_refused(settings, world):
    with pytest.raises(UsageError, match=next(iter(settings))):
        small_model("grcn", world, **settings)
