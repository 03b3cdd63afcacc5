"""SLMRec against dense computations written from its description."""

import pytest
import torch

from plain_viral import normalised
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


def linear(w, name, x):
    return x @ w[f"{name}.weight"].T + w.get(f"{name}.bias", 0)


def contrast(a, b, temperature):
    """-mean log of the share that the right row has among all rows."""
    losses = []
    for n in range(len(a)):
        logits = torch.stack([(a[n] * row).sum() / temperature for row in b])
        losses.append(-(logits[n].exp() / logits.exp().sum()).log())
    return sum(losses) / len(losses)


def plain(w, world, sources, *, num_layers, temperature, ssl_weight, ssl_temperature):
    a_hat = normalised(dense(world.split.train))
    items = {"id": w["item_embedding.weight"]}
    for role, modality in sources.items():
        x = world.inputs.features[modality].double()
        items[role] = linear(w, f"projections.{role}", x / (x**2).sum(1, keepdim=True) ** 0.5)
    branches = {}
    for name, table in items.items():
        layers = [torch.cat([w["user_embedding.weight"], table])]
        for _ in range(num_layers):
            layers.append(a_hat @ layers[-1])
        branches[name] = (sum(layers) / len(layers)).split([30, 18])
    users = linear(w, "fuse_users", torch.cat([branch[0] for branch in branches.values()], dim=1))
    fused = linear(w, "fuse_items", torch.cat([branch[1] for branch in branches.values()], dim=1))

    def loss(batch):
        u, i = (x / x.norm(dim=1, keepdim=True) for x in (users[batch.users], fused[batch.positives]))
        terms = {"contrast": contrast(u, i, temperature)}
        of_batch = {name: branch[1][batch.positives] for name, branch in branches.items()}
        inner = of_batch["id"]
        for role in sources:
            inner = linear(w, f"inward.{role}", inner)
            other = linear(w, f"across.{role}", of_batch[role])
            terms[role] = ssl_weight * contrast(inner, other, ssl_temperature)
        return terms

    return users, fused, loss


@pytest.mark.parametrize("num_layers", [0, 2])
@pytest.mark.parametrize(("settings", "sources"), SOURCES.values(), ids=SOURCES)
def test_slmrec(settings, sources, num_layers, world):
    numbers = {"num_layers": num_layers, "temperature": 0.3, "ssl_weight": 0.7, "ssl_temperature": 0.6}
    model = small_model("slmrec", world, **numbers, **settings).double()
    weights = {name: p.detach().clone().requires_grad_() for name, p in model.named_parameters()}
    users, items, loss = plain(weights, world, sources, **numbers)
    embeddings = model.embed()
    torch.testing.assert_close(embeddings.users, users, rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(embeddings.items, items, rtol=1e-5, atol=1e-7)
    batch = first_batch(world, 20)
    ours, theirs = model.loss(batch), loss(batch)
    torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-7)
    sum(ours.values()).backward()
    sum(theirs.values()).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad.abs().max() > 1e-9, name
        torch.testing.assert_close(
            parameter.grad, weights[name].grad, rtol=1e-5, atol=1e-7, msg=lambda m, name=name: f"{name}: {m}"
        )


def test_without_self_supervision_nothing_is_built_for_it(world):
    model = small_model("slmrec", world, ssl_weight=0.0)
    assert model.loss(first_batch(world)).keys() == {"contrast"}
    assert not [name for name, _ in model.named_parameters() if "inward" in name or "across" in name]


@pytest.mark.parametrize("settings", [{"temperature": 0.0}, {"ssl_temperature": 0.0}, {"ssl_weight": -1.0}])
def test_a_setting_out_of_range_is_refused(settings, world):
    with pytest.raises(UsageError, match=next(iter(settings))):
        small_model("slmrec", world, **settings)
