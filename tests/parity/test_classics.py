"""LightGCN, BPR, EASE and ItemKNN against dense computations written from their papers."""

import pytest
import torch
import torch.nn.functional as F

from plain_viral import normalised
from worlds import World, dense, first_batch, random_world, small_model


@pytest.fixture(scope="module")
def world() -> World:
    return random_world(30, 18, 0.2, seed=3)


def published_penalty(*tables: torch.Tensor) -> torch.Tensor:
    return sum((table**2).sum() ** 0.5 for table in tables) / len(tables[0])


@pytest.mark.parametrize("num_layers", [0, 1, 3, 4])
def test_lightgcn(num_layers, world):
    model = small_model("lightgcn", world, num_layers=num_layers, reg_weight=0.7).double()
    tables = model.user_embedding.weight, model.item_embedding.weight
    ego = torch.cat(tables).detach().requires_grad_()
    a_hat = normalised(dense(world.split.train))
    layers = [ego]
    for _ in range(num_layers):
        layers.append(a_hat @ layers[-1])
    users, items = torch.stack(layers).mean(dim=0).split([30, 18])
    embeddings = model.embed()
    torch.testing.assert_close(embeddings.users, users)
    torch.testing.assert_close(embeddings.items, items)

    batch = first_batch(world, 20)
    u, p, n = batch.users, batch.positives, batch.negatives
    difference = (users[u] * items[p]).sum(1) - (users[u] * items[n]).sum(1)
    bpr = -F.logsigmoid(difference).mean()
    reg = 0.7 * published_penalty(ego[u], ego[30 + p], ego[30 + n])
    terms = model.loss(batch)
    torch.testing.assert_close(terms, {"bpr": bpr, "reg": reg})
    sum(terms.values()).backward()
    (bpr + reg).backward()
    torch.testing.assert_close(torch.cat([table.grad for table in tables]), ego.grad)


def test_bpr(world):
    model = small_model("bpr", world, reg_weight=0.3).double()
    users, items = (
        table.weight.detach().clone().requires_grad_() for table in (model.user_embedding, model.item_embedding)
    )
    torch.testing.assert_close(model.score(torch.arange(30)), (users @ items.T).detach())
    batch = first_batch(world, 20)
    u, p, n = users[batch.users], items[batch.positives], items[batch.negatives]
    bpr = -torch.sigmoid((u * p).sum(1) - (u * n).sum(1)).log().mean()
    reg = 0.3 * published_penalty(u, p, n)
    terms = model.loss(batch)
    torch.testing.assert_close(terms, {"bpr": bpr, "reg": reg})
    sum(terms.values()).backward()
    (bpr + reg).backward()
    torch.testing.assert_close(model.user_embedding.weight.grad, users.grad)
    torch.testing.assert_close(model.item_embedding.weight.grad, items.grad)


@pytest.mark.parametrize("reg_weight", [0.5, 20.0])
def test_ease_is_a_ridge_regression_of_every_item_on_the_others(reg_weight, world):
    model = small_model("ease", world, reg_weight=reg_weight)
    x = dense(world.split.train)
    expected = torch.zeros(18, 18, dtype=torch.float64)
    for j in range(18):
        others = [i for i in range(18) if i != j]
        gram = x[:, others].T @ x[:, others] + reg_weight * torch.eye(17, dtype=torch.float64)
        expected[others, j] = torch.linalg.solve(gram, x[:, others].T @ x[:, j])
    torch.testing.assert_close(model.weights.double(), expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(model.score(torch.arange(30)).double(), x @ expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("num_neighbors", "shrinkage"), [(4, 0.0), (4, 10.0), (100, 1.0)])
def test_itemknn_keeps_the_most_similar(num_neighbors, shrinkage, world):
    model = small_model("itemknn", world, num_neighbors=num_neighbors, shrinkage=shrinkage)
    x = dense(world.split.train)
    weights = model.weights.to_torch().to_dense().double()
    for i in range(18):
        together = {j: (x[:, i] * x[:, j]).sum().item() for j in range(18) if j != i}
        likeness = {
            j: shared / ((x[:, i].sum() * x[:, j].sum()).item() ** 0.5 + shrinkage)
            for j, shared in together.items()
            if shared
        }
        least = sorted(likeness.values(), reverse=True)[:num_neighbors][-1]
        kept = {j for j in range(18) if weights[j, i] != 0}
        assert {j for j, value in likeness.items() if value > least + 1e-6} <= kept
        assert kept <= {j for j, value in likeness.items() if value > least - 1e-6}  # a tie with the last may stay
        assert all(weights[j, i].item() == pytest.approx(likeness[j], rel=1e-6) for j in kept)
    torch.testing.assert_close(model.score(torch.arange(30)).double(), x @ weights, rtol=1e-5, atol=1e-5)


def test_popularity_counts(world):
    scores = small_model("popularity", world).score(torch.arange(30))
    counts = dense(world.split.train).sum(dim=0)
    torch.testing.assert_close(scores.double(), (counts / counts.max()).expand(30, 18))
