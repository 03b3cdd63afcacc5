"""FREEDOM against plain tensor operations written from its paper, and the law of its thinned graph."""

import pytest
import torch

from plain_branches import compare, features_of, layer_sum, similar_items
from plain_content import BOTH, make, world_with_gaps
from plain_viral import normalised
from viral.base.errors import UsageError
from viral.models.baselines.freedom import FREEDOMConfig, thinned
from worlds import World, dense, first_batch, interactions

VARIANTS = {
    **BOTH,
    "features learnt": {"train_features": True},
    "features learnt, text alone": {"train_features": True, "visual": None},
    "other depths": {"num_layers": 3, "num_item_layers": 2, "num_neighbors": 3, "visual_weight": 0.4},
}


@pytest.fixture(scope="module")
def world() -> World:
    return world_with_gaps()


def plain_freedom(w, model, world, a_hat):
    ids = torch.cat([w["user_embedding.weight"], w["item_embedding.weight"]])
    nodes = layer_sum(a_hat, ids, model.config.num_layers) / (model.config.num_layers + 1)
    features = features_of(model, world)
    s = similar_items(features, model.config.num_neighbors, model.config.visual_weight)
    similar = torch.linalg.matrix_power(s, model.config.num_item_layers) @ w["item_embedding.weight"]
    return nodes[:25], nodes[25:] + similar


def plain_terms(w, users, items, batch, model, world):
    def ranking(of_items):
        u, p, n = users[batch.users], of_items[batch.positives], of_items[batch.negatives]
        return -torch.sigmoid((u * p).sum(1) - (u * n).sum(1)).log().mean()

    terms = {"bpr": ranking(items)}
    for role, x in features_of(model, world).items():
        x = w[f"features.{role}"] if model.config.train_features else x
        terms[role] = model.config.content_weight * ranking(x @ w[f"projections.{role}.weight"].T)
    return terms


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=list(VARIANTS))
def test_forward_losses_and_gradients(variant, world):
    model = make("freedom", world, content_weight=0.3, **variant)
    a_hat = normalised(dense(world.split.train))
    compare(
        model,
        world,
        lambda w: plain_freedom(w, model, world, a_hat),
        lambda w, users, items, batch: plain_terms(w, users, items, batch, model, world),
        first_batch(world, 16),
    )


def test_training_reads_the_thinned_graph_and_ranking_the_whole(world):
    model = make("freedom", world, edge_dropout=0.6, content_weight=0.3).train()
    model.on_epoch_start(torch.Generator().manual_seed(4))
    kept = thinned(world.split.train, 0.6, torch.Generator().manual_seed(4))
    assert len(kept) == round(0.4 * len(world.split.train.keys()))
    compare(
        model,
        world,
        lambda w: plain_freedom(w, model, world, normalised(dense(kept))),
        lambda w, users, items, batch: plain_terms(w, users, items, batch, model, world),
        first_batch(world, 16),
    )
    w = {name: p.detach() for name, p in model.named_parameters()}
    users, items = plain_freedom(w, model, world, normalised(dense(world.split.train)))
    torch.testing.assert_close(model.scorer().users, users, rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(model.scorer().items, items, rtol=1e-5, atol=1e-7)


def test_without_dropout_or_content_nothing_is_drawn_or_built(world):
    model = make("freedom", world, edge_dropout=0.0, content_weight=0.0, train_features=True)
    rng = torch.Generator().manual_seed(0)
    before = rng.get_state()
    model.on_epoch_start(rng)
    assert torch.equal(rng.get_state(), before)
    assert model.interactions.of_epoch is model.interactions.full
    assert {name for name, _ in model.named_parameters()} == {"user_embedding.weight", "item_embedding.weight"}
    assert set(model.loss(first_batch(world, 16))) == {"bpr"}


def test_pairs_are_kept_by_the_degrees_of_their_ends():
    """Of four pairs one is kept: with probability 1/√(d_u d_i), normalised; a repeated pair counts once."""
    train = interactions([(0, 0), (0, 1), (0, 2), (1, 2), (1, 2)], 2, 3)
    weights = {(0, 0): 3**-0.5, (0, 1): 3**-0.5, (0, 2): 6**-0.5, (1, 2): 2**-0.5}
    rng, draws = torch.Generator().manual_seed(0), 6000
    counts = dict.fromkeys(weights, 0)
    for _ in range(draws):
        kept = thinned(train, 0.75, rng)
        counts[(int(kept.users), int(kept.items))] += 1
    total = sum(weights.values())
    shares = {pair: count / draws for pair, count in counts.items()}
    assert shares == pytest.approx({pair: weight / total for pair, weight in weights.items()}, abs=0.02)


def test_pairs_are_kept_without_replacement(world):
    kept = thinned(world.split.train, 0.3, torch.Generator().manual_seed(0))
    assert len(kept.keys()) == len(kept) == round(0.7 * len(world.split.train.keys()))
    assert torch.isin(kept.keys(), world.split.train.keys()).all()
    assert len(thinned(world.split.train, 0.9999, torch.Generator().manual_seed(0))) == 1


def test_a_graph_without_edges_is_refused():
    with pytest.raises(UsageError, match="edge_dropout = 1"):
        FREEDOMConfig(edge_dropout=1.0)
