"""BM3 against dense computations written from its description."""

import pytest
import torch
import torch.nn.functional as F

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


def cosine(a, b):
    return ((a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1))).mean()


def plain(w, world, sources, *, num_layers, dropout, content_weight, reg_weight):
    """Users, items and the loss of a batch, given the masks of dropout."""
    ego = torch.cat([w["user_embedding.weight"], w["item_embedding.weight"]])
    a_hat = normalised(dense(world.split.train))
    layers = [ego]
    for _ in range(num_layers):
        layers.append(a_hat @ layers[-1])
    users, items = (sum(layers) / len(layers)).split([30, 18])
    items = items + w["item_embedding.weight"]

    def predict(x):
        return x @ w["predictor.weight"].T + w["predictor.bias"]

    def loss(batch, masks):
        u, i = users[batch.users], items[batch.positives]
        u_target, i_target = (u * masks[0]).detach(), (i * masks[1]).detach()
        terms = {"interaction": (1 - cosine(predict(u), i_target)) + (1 - cosine(predict(i), u_target))}
        for place, (role, modality) in enumerate(sources.items()):
            x = w.get(f"features.{role}", world.inputs.features[modality].double())
            m = (x @ w[f"projections.{role}.weight"].T + w[f"projections.{role}.bias"])[batch.positives]
            m_target = (m * masks[2 + place]).detach()
            terms[role] = content_weight * (1 - cosine(predict(m), i_target) + 1 - cosine(predict(m), m_target))
        terms["reg"] = reg_weight * ((users**2).sum() ** 0.5 + (items**2).sum() ** 0.5) / 18
        return terms

    return predict(users), predict(items), loss


@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("train_features", [False, True])
@pytest.mark.parametrize("num_layers", [1, 2])
@pytest.mark.parametrize(("settings", "sources"), SOURCES.values(), ids=SOURCES)
def test_bm3(settings, sources, num_layers, train_features, dropout, world):
    numbers = {"num_layers": num_layers, "dropout": dropout, "content_weight": 1.5, "reg_weight": 0.7}
    model = small_model("bm3", world, train_features=train_features, **numbers, **settings).double()
    weights = {name: p.detach().clone().requires_grad_() for name, p in model.named_parameters()}
    assert (sum("features." in name for name in weights) == len(sources)) is train_features
    users, items, loss = plain(weights, world, sources, **numbers)
    embeddings = model.embed()
    torch.testing.assert_close(embeddings.users, users)
    torch.testing.assert_close(embeddings.items, items)

    batch = first_batch(world, 20)
    torch.manual_seed(4)
    ones = torch.ones(2 + len(sources), 20, model.config.embedding_dim, dtype=torch.float64)
    masks = F.dropout(ones, dropout)
    torch.manual_seed(4)
    ours, theirs = model.loss(batch), loss(batch, masks)
    torch.testing.assert_close(ours, theirs)
    sum(ours.values()).backward()
    sum(theirs.values()).backward()
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.grad, weights[name].grad, msg=lambda m, name=name: f"{name}: {m}")


def test_without_content_it_is_a_model_of_choices(world):
    model = small_model("bm3", world, content_weight=0.0, train_features=True)
    assert model.loss(first_batch(world)).keys() == {"interaction", "reg"}
    assert not [name for name, _ in model.named_parameters() if "projections" in name or "features" in name]


@pytest.mark.parametrize("settings", [{"dropout": 1.0}, {"dropout": -0.1}, {"content_weight": -1.0}])
def test_a_setting_out_of_range_is_refused(settings, world):
    with pytest.raises(UsageError, match=next(iter(settings))):
        small_model("bm3", world, **settings)
