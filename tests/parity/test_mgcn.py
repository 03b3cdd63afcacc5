"""MGCN against the same method written with dense graphs."""

import pytest
import torch

from plain_content import BOTH, make, weights_of, world_with_gaps
from plain_views import compare, contrast, cosine_graph, features_of, fused, gated, last_layer, mean_of_layers, ranking
from plain_viral import normalised
from worlds import World, dense, first_batch

VARIANTS = BOTH | {
    "other depths": {"num_layers": 3, "num_item_layers": 2, "num_neighbors": 3},
    "no item graph": {"num_item_layers": 0, "num_layers": 0},
    "other weights": {"reg_weight": 0.3, "contrast_weight": 2.0, "temperature": 0.7},
    "without contrast": {"contrast_weight": 0.0},
    "learnt features": {"learn_features": True},
}


@pytest.fixture(scope="module")
def world() -> World:
    return world_with_gaps()


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=list(VARIANTS))
def test_mgcn(variant, world):
    model = make("mgcn", world, **variant)
    config, w, batch = model.config, weights_of(model), first_batch(world, 16)
    a_hat = normalised(dense(world.split.train))
    users, items = w["user_ids.weight"], w["item_ids.weight"]
    behaviour = mean_of_layers(a_hat, torch.cat([users, items]), config.num_layers)
    views, given = [], features_of(model, world, {})
    for role, x in features_of(model, world, w).items():
        item_graph = cosine_graph(given[role], config.num_neighbors)
        moved = last_layer(item_graph, gated(w, f"purifiers.{role}", items, x), config.num_item_layers)
        views.append(torch.cat([a_hat[:25, 25:] @ moved, moved]))
    side = fused(w, behaviour, views)
    terms = ranking(behaviour + side, batch, 25, config.reg_weight)
    if config.contrast_weight:
        i, u = 25 + batch.positives, batch.users
        agreement = sum(contrast(side[n], behaviour[n], config.temperature) for n in (i, u))
        terms["contrast"] = config.contrast_weight * agreement
    compare(model, w, behaviour + side, model.loss(batch), terms)


def test_one_modality_has_nothing_to_fuse(world):
    assert not list(make("mgcn", world, text=None).fuser.parameters())
    assert set(make("mgcn", world).fuser.state_dict())
