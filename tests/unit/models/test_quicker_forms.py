"""Models that multiply in one order or another, by size: both have the same numbers, and the same gradients."""

import pytest
import torch
import torch.nn.functional as F

from viral.graph import bipartite_adjacency
from viral.graph.functions.straight_through import instead
from viral.models.base import Embeddings
from viral.models.baselines import lgmrec, mmgcn
from viral.models.baselines.lgmrec import coordinates
from viral.models.baselines.mentor import masking_distance, noisy_sum
from worlds import World, first_batch, random_world, small_model


@pytest.fixture(scope="module")
def world() -> World:
    return random_world(30, 18, 0.2, seed=3)


def outcome(name: str, world: World, **settings):
    """The nodes, losses and gradients of one step."""
    model = small_model(name, world, **settings).double()
    torch.manual_seed(5)
    terms = model.train().loss(first_batch(world, 20))
    sum(terms.values()).backward()
    gradients = {key: parameter.grad for key, parameter in model.named_parameters()}
    return model, {**terms, **gradients, **model.eval().embed()._asdict()}


def test_lgmrec_with_features_that_are_too_large_to_travel_once(world, monkeypatch):
    model, once = outcome("lgmrec", world)
    assert all(getattr(model, f"{role}_travelled").shape[0] == 48 for role in ("visual", "text"))
    monkeypatch.setattr(lgmrec, "KEPT_NUMBERS", 0)
    model, each_step = outcome("lgmrec", world)
    assert model.visual_travelled is None
    torch.testing.assert_close(once, each_step, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("text_dim", [None, 4])
def test_mmgcn_where_users_hear_of_items_that_are_projected_first(text_dim, world, monkeypatch):
    model, means_first = outcome("mmgcn", world, text_dim=text_dim)
    assert (model.networks["text"].heard is None) is (text_dim is not None)
    monkeypatch.setattr(mmgcn, "GRAPH_COST", 0)
    model, items_first = outcome("mmgcn", world, text_dim=text_dim)
    assert model.networks["text"].heard is None
    torch.testing.assert_close(means_first, items_first, rtol=1e-5, atol=1e-7)


def test_mmgcns_last_layer_of_a_batch_is_that_of_all_nodes(world):
    model, batch = small_model("mmgcn", world).double(), first_batch(world, 20)
    users, items = model.embed()
    margins = (users[batch.users] * (items[batch.positives] - items[batch.negatives])).sum(dim=1)
    torch.testing.assert_close(model.loss(batch)["bpr"], -F.logsigmoid(margins).mean())


@pytest.mark.parametrize("width", [3, 16])
def test_nodes_in_the_span_of_their_hyperedges_have_the_same_cosines_and_gradients(width):
    """Of 16 directions two hypergraphs of 3 edges span 6; of 3 they span all."""
    rng = torch.Generator().manual_seed(0)
    nodes = [torch.rand(7, 3, generator=rng, dtype=torch.float64, requires_grad=True) for _ in range(2)]
    edges = [torch.randn(3, width, generator=rng, dtype=torch.float64, requires_grad=True) for _ in range(2)]
    plain = [h @ e for h, e in zip(nodes, edges, strict=True)]
    found = coordinates(nodes, edges)
    assert found[0].shape == (7, min(6, width))
    both = [F.cosine_similarity(a[:, None], b, dim=2) for a, b in (plain, found)]
    torch.testing.assert_close(both[1], both[0])
    given = [*nodes, *edges]
    gradients = [torch.autograd.grad(x.exp().log1p().sum(), given) for x in both]
    torch.testing.assert_close(gradients[1], gradients[0])


def test_the_distance_of_a_mask_is_that_of_dropouts_cosine():
    nodes = Embeddings(*(torch.randn(n, 6, dtype=torch.float64, requires_grad=True) for n in (40, 30)))
    found = []
    for plain in (True, False):
        torch.manual_seed(2)
        if plain:
            total = sum((1 - F.cosine_similarity(x, F.dropout(x, 0.7), dim=1)).mean() for x in nodes)
        else:
            total = masking_distance(nodes, 0.7)
        found.append((total, *torch.autograd.grad(total, nodes)))
    torch.testing.assert_close(found[0], found[1])
    assert masking_distance(nodes, 0.0).item() == pytest.approx(0)


def test_noise_moves_layers_and_leaves_their_gradient(world):
    adjacency, ego = bipartite_adjacency(world.split.train), torch.randn(48, 6)
    moved = noisy_sum(adjacency, ego, (2, 0.3, 3), adjacency @ ego)
    plain = ego + adjacency @ ego + adjacency @ (adjacency @ ego)
    assert not torch.allclose(moved, plain)
    sums = plain.clone().requires_grad_()
    table = instead(moved, sums)
    assert torch.equal(table, moved)
    (3 * table).sum().backward()
    assert torch.equal(sums.grad, torch.full_like(sums, 3.0))
