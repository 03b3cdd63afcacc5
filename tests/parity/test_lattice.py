"""LATTICE against dense item-item matrices written from its description."""

from types import SimpleNamespace

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
NUMBERS = {"num_layers": 2, "num_item_layers": 2, "num_neighbors": 4, "frozen_weight": 0.6, "reg_weight": 0.7}


@pytest.fixture(scope="module")
def world() -> World:
    return random_world(30, 18, 0.2, seed=3)


def similar(x, k):
    """D^-1/2 W D^-1/2 of the k largest cosines of each row, itself included."""
    unit = x / (x**2).sum(1, keepdim=True) ** 0.5
    cosine = unit @ unit.T
    kept = torch.zeros_like(cosine)
    for item, row in enumerate(cosine.tolist()):
        for j in sorted(range(len(row)), key=lambda j: -row[j])[:k]:
            kept[item, j] = 1
    w = kept * cosine.clamp(min=0)
    scale = w.sum(1) ** -0.5
    return scale[:, None] * w * scale


def smoothing(world, row_normalized):
    a_hat = normalised(dense(world.split.train))
    if row_normalized:
        square = (a_hat > 0).double() + torch.eye(48, dtype=torch.float64)
        return square / square.sum(1, keepdim=True)
    return a_hat


def item_graph(w, world, sources, k=4):
    shares = [w["items.mix"][n].exp() / w["items.mix"].exp().sum() for n in range(2)] if len(sources) > 1 else [1.0]
    a = 0
    for share, (role, modality) in zip(shares, sources.items(), strict=True):
        x = world.inputs.features[modality].double()
        projected = x @ w[f"items.projections.{role}.weight"].T + w[f"items.projections.{role}.bias"]
        a = a + share * (0.6 * similar(x, k) + 0.4 * similar(projected, k))
    return a


def plain(w, world, a, row_normalized):
    layers = [torch.cat([w["user_embedding.weight"], w["item_embedding.weight"]])]
    for _ in range(2):
        layers.append(smoothing(world, row_normalized) @ layers[-1])
    users, items = (sum(layers) / 3).split([30, 18])
    h = a @ (a @ w["item_embedding.weight"])
    items = items + h / h.norm(dim=1, keepdim=True)

    def loss(batch):
        u, p, n = users[batch.users], items[batch.positives], items[batch.negatives]
        bpr = -torch.sigmoid((u * p).sum(1) - (u * n).sum(1)).log().mean()
        return {"bpr": bpr, "reg": 0.7 * 0.5 * sum((x**2).sum() for x in (u, p, n)) / len(u)}

    return SimpleNamespace(users=users, items=items, loss=loss)


def make(world, settings):
    model = small_model("lattice", world, seed=1, **(NUMBERS | settings)).double()
    if model.items.mix is not None:
        with torch.no_grad():
            model.items.mix.copy_(torch.tensor([0.5, -0.3]))
    return model


def leaves(model):
    return {name: p.detach().clone().requires_grad_() for name, p in model.named_parameters()}


def check(model, weights, batch, loss):
    model.zero_grad()
    ours, theirs = model.loss(batch), loss(batch)
    torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-7)
    sum(ours.values()).backward()
    sum(theirs.values()).backward()
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(
            parameter.grad, weights[name].grad, rtol=1e-5, atol=1e-6, msg=lambda m, name=name: f"{name}: {m}"
        )


@pytest.mark.parametrize("row_normalized", [False, True])
@pytest.mark.parametrize(("settings", "sources"), SOURCES.values(), ids=SOURCES)
def test_lattice(settings, sources, row_normalized, world):
    model = make(world, settings | {"row_normalized": row_normalized})
    for seed in (0, 1):  # the graph is learnt in every batch
        weights = leaves(model)
        expected = plain(weights, world, item_graph(weights, world, sources), row_normalized)
        embeddings = model.embed()
        torch.testing.assert_close(embeddings.users, expected.users, rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(embeddings.items, expected.items, rtol=1e-5, atol=1e-6)
        check(model, weights, first_batch(world, 20, seed), expected.loss)


def move(model):
    """A step small enough to change the similarities but not who is near."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.001).add_(1e-5)
        for projection in model.items.projections.values():
            projection.weight[0].mul_(1.01)
    return model


@pytest.mark.parametrize("first_batch_only", [False, True])
@pytest.mark.parametrize(("settings", "sources"), SOURCES.values(), ids=SOURCES)
def test_the_graph_of_later_batches(settings, sources, first_batch_only, world):
    model = make(world, settings | {"first_batch_only": first_batch_only})
    model.on_epoch_start(torch.Generator())
    weights = leaves(model)
    at_start = item_graph(weights, world, sources)
    check(model, weights, first_batch(world, 20), plain(weights, world, at_start, False).loss)
    weights = leaves(move(model))
    now = item_graph(weights, world, sources)
    assert not torch.allclose(now, at_start, rtol=1e-5)
    expected = plain(weights, world, at_start.detach() if first_batch_only else now, False)
    batch = first_batch(world, 20, 1)
    if first_batch_only:
        model.zero_grad()
        ours = model.loss(batch)
        torch.testing.assert_close(ours, expected.loss(batch), rtol=1e-6, atol=1e-7)
        sum(ours.values()).backward()
        assert {name for name, p in model.named_parameters() if p.grad is None} == {
            name for name in weights if name.startswith("items.")
        }
        torch.testing.assert_close(model.embed().items, plain(weights, world, now, False).items, rtol=1e-5, atol=1e-6)
        model.on_epoch_start(torch.Generator())
        check(
            model,
            weights := leaves(model),
            batch,
            plain(weights, world, item_graph(weights, world, sources), False).loss,
        )
    else:
        check(model, weights, batch, expected.loss)


def test_unlike_items_are_no_neighbours(world):
    model = make(world, {"num_neighbors": 18})  # of 18 items, so that the least alike are among them
    weights = leaves(model)
    a = item_graph(weights, world, SOURCES["both"][1], 18)
    check(model, weights, first_batch(world, 20), plain(weights, world, a, False).loss)


def test_neighbours_are_chosen_anew_for_ranking(world):
    model, moved = make(world, {}), make(world, {})
    with torch.no_grad():
        for projection in model.items.projections.values():
            projection.weight.normal_(generator=torch.Generator().manual_seed(5))
    moved.load_state_dict(model.state_dict())
    moved.on_epoch_start(torch.Generator())
    assert torch.equal(model.embed().items, moved.embed().items)


def test_neighbours_are_chosen_anew_each_epoch(world):
    model = make(world, {})
    before = model.edges["text"].columns.clone()
    with torch.no_grad():
        model.items.projections["text"].weight.normal_(generator=torch.Generator().manual_seed(5))
    model.loss(first_batch(world))
    assert torch.equal(model.edges["text"].columns, before)
    model.on_epoch_start(torch.Generator())
    assert not torch.equal(model.edges["text"].columns, before)


@pytest.mark.parametrize("settings", [{"frozen_weight": 1.0}, {"frozen_weight": -0.1}, {"num_item_layers": 0}])
def test_a_setting_out_of_range_is_refused(settings, world):
    with pytest.raises(UsageError, match=next(iter(settings))):
        small_model("lattice", world, **settings)
