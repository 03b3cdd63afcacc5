"""SMORE against the same method with the transform as sums of sines and cosines, and dense graphs."""

import math

import pytest
import torch
from torch import Tensor

from plain_content import BOTH, make, weights_of, world_with_gaps
from plain_views import (
    attend,
    compare,
    contrast,
    cosine_graph,
    features_of,
    last_layer,
    linear,
    mean_of_layers,
    ranking,
)
from plain_viral import normalised
from viral.base.errors import UsageError
from worlds import World, dense, first_batch

STILL = {"dropout": 0.0}  # what is drawn at random has a test of its own
VARIANTS = BOTH | {
    "even dimension": {"embedding_dim": 6},
    "other depths": {"num_layers": 1, "num_item_layers": 2, "num_neighbors": 3, "num_visual_neighbors": 7},
    "other weights": {"reg_weight": 0.3, "contrast_weight": 2.0, "temperature": 0.7},
}


@pytest.fixture(scope="module")
def world() -> World:
    return world_with_gaps()


def spectrum(x: Tensor) -> Tensor:
    """X_k = Σ_n x_n exp(-2πi kn / D) / √D, all D frequencies."""
    d = x.shape[1]
    angles = -2 * math.pi * torch.outer(torch.arange(d), torch.arange(d)).double() / d
    return x.to(torch.complex128) @ torch.complex(angles.cos(), angles.sin()) / math.sqrt(d)


def filtered(half: Tensor, full: Tensor) -> Tensor:
    """Back from the product of a spectrum and a filter of the frequencies up to D/2; the others are conjugates."""
    d = full.shape[1]
    product = [full[:, k] * torch.complex(half[k, 0], half[k, 1]) for k in range(d // 2 + 1)]
    whole = product + [product[d - k].conj() for k in range(d // 2 + 1, d)]
    n = torch.arange(d).double()
    x = sum(p[:, None] * torch.exp(2j * math.pi * k * n / d) for k, p in enumerate(whole))
    # the imaginary parts of the first frequency, and of D/2 where D is even, cannot be those of a real signal
    return x.real / math.sqrt(d)


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=list(VARIANTS))
def test_smore(variant, world):
    model = make("smore", world, **(STILL | variant))
    config, w, batch = model.config, weights_of(model), first_batch(world, 16)
    a_hat = normalised(dense(world.split.train))
    items = w["item_ids.weight"]
    behaviour = mean_of_layers(a_hat, torch.cat([w["user_ids.weight"], items]), config.num_layers)
    features = features_of(model, world, w)
    neighbors = {"text": config.num_neighbors, "visual": config.num_visual_neighbors}
    graphs = {role: cosine_graph(x, neighbors[role]) for role, x in features.items()}
    spectra = {role: spectrum(linear(w, f"projections.{role}", x)) for role, x in features.items()}
    graphs["fusion"] = torch.stack(list(graphs.values())).amax(dim=0)
    spectra["fusion"] = torch.stack(list(spectra.values())).prod(dim=0)
    views = {}
    for view, full in spectra.items():
        gate = torch.sigmoid(linear(w, f"gates.{view}", filtered(w[f"filters.{view}"], full)))
        moved = last_layer(graphs[view], items * gate, config.num_item_layers)
        views[view] = torch.cat([a_hat[:25, 25:] @ moved, moved])
    side = 0
    for view, x in views.items():
        if view != "fusion":
            x = torch.softmax(attend(w, f"queries.{view}", views["fusion"]), dim=1) * x
        side = side + torch.sigmoid(linear(w, f"preferences.{view}", behaviour)) * x / len(views)
    terms = ranking(behaviour + side, batch, 25, config.reg_weight)
    agreement = sum(contrast(side[n], behaviour[n], config.temperature) for n in (25 + batch.positives, batch.users))
    terms["contrast"] = config.contrast_weight * agreement
    compare(model, w, behaviour + side, model.loss(batch), terms)


def test_dropout_is_of_the_preference_gates_and_of_training_only(world):
    model = make("smore", world, dropout=0.5)
    torch.manual_seed(0)
    behaviour, first = model.train().represent()
    _, second = model.represent()
    still, side = model.eval().represent()
    assert torch.equal(behaviour, still)
    assert not torch.allclose(first, second)
    with torch.no_grad():
        draws = torch.stack([model.train().represent()[1] for _ in range(500)]).mean(dim=0)
    torch.testing.assert_close(draws, side, atol=0.02, rtol=0.2)


def test_a_node_that_a_batch_has_twice_is_contrasted_with_either_dropout(world):
    model, batch = make("smore", world, dropout=0.5), first_batch(world, 40)
    assert len(batch.positives.unique()) < 40 and len(batch.users.unique()) < 40
    model.train()
    torch.manual_seed(0)
    behaviour, side = model.represent(batch)
    torch.manual_seed(0)
    term = model.loss(batch)["contrast"] / model.config.contrast_weight
    plain = sum(contrast(side[n], behaviour[n], model.config.temperature) for n in (slice(0, 40), slice(40, 80)))
    torch.testing.assert_close(term, plain)


@pytest.mark.parametrize("config", [{"dropout": -0.1}, {"dropout": 1.0}, {"num_visual_neighbors": 0}])
def test_what_makes_no_model_is_refused(config, world):
    with pytest.raises(UsageError, match=next(iter(config))):
        make("smore", world, **config)
