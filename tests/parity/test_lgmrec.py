"""LGMRec against the same method with dense graphs, in evaluation and with training's random draws."""

import pytest
import torch
import torch.nn.functional as F

from plain_content import BOTH, make, weights_of, world_with_gaps
from plain_views import compare, features_of, last_layer, mean_of_layers
from plain_viral import normalised
from viral.base.errors import UsageError
from worlds import World, dense, first_batch

VARIANTS = BOTH | {
    "other depths": {"num_layers": 1, "num_modal_layers": 3, "num_hyperedges": 2, "num_hyper_layers": 3},
    "no layers": {"num_layers": 0, "num_modal_layers": 0},
    "other weights": {"contrast_weight": 0.3, "temperature": 0.7, "reg_weight": 0.2, "hyper_weight": 1.5},
    "hard": {"gumbel_temperature": 0.05, "keep_rate": 0.9},
    "without contrast": {"contrast_weight": 0.0},
}


@pytest.fixture(scope="module")
def world() -> World:
    return world_with_gaps()


def plain(model, world, w, *, training: bool):
    """All nodes, and each modality's global embeddings; random draws in the order in which the model makes them."""
    config, r = model.config, dense(world.split.train)
    a_hat = normalised(r)
    ids = mean_of_layers(a_hat, torch.cat([w["user_ids.weight"], w["item_ids.weight"]]), config.num_layers)
    local, hyper = ids, []
    for role, x in features_of(model, world, w).items():
        items = x @ w[f"projections.{role}.weight"].T
        users = torch.stack([items[row > 0].mean(dim=0) if row.any() else torch.zeros(5).double() for row in r])
        local = local + F.normalize(last_layer(a_hat, torch.cat([users, items]), config.num_modal_layers), dim=1)
        logits = x @ w[f"hypergraphs.{role}.attributes.weight"].T
        logits = torch.cat([r @ logits, logits])
        if training:
            gumbel = -torch.empty_like(logits).exponential_().log()
            soft = torch.softmax((logits + gumbel) / config.gumbel_temperature, dim=1)
            kept = torch.empty_like(soft).bernoulli_(config.keep_rate)
            soft = soft * kept / config.keep_rate
        else:
            soft = torch.softmax(logits / config.gumbel_temperature, dim=1)
        h_u, h_i, moved = soft[:25], soft[25:], ids[25:]
        for _ in range(config.num_hyper_layers):
            e_u, moved = h_u @ h_i.T @ moved, h_i @ h_i.T @ moved
        hyper.append(torch.cat([e_u, moved]))
    return local + config.hyper_weight * F.normalize(sum(hyper), dim=1), hyper


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("variant", VARIANTS.values(), ids=list(VARIANTS))
def test_lgmrec(variant, training, world):
    model = make("lgmrec", world, **variant)
    config, w, batch = model.config, weights_of(model), first_batch(world, 16)
    torch.manual_seed(4)
    ours = model.train(training).loss(batch)
    torch.manual_seed(4)
    nodes, hyper = plain(model, world, w, training=training)
    u, p, n = nodes[batch.users], nodes[25 + batch.positives], nodes[25 + batch.negatives]
    terms = {
        "bpr": -torch.sigmoid((u * p).sum(1) - (u * n).sum(1)).log().mean(),
        "reg": config.reg_weight * sum((x**2).sum() ** 0.5 for x in (u, p, n)) / 16,
    }
    if len(hyper) == 2 and config.contrast_weight:
        contrast = 0
        for part, rows in ((slice(0, 25), batch.users), (slice(25, None), batch.positives)):
            visual, text = (F.normalize(side[part], dim=1) for side in hyper)
            logits = visual[rows] @ text.T / config.temperature
            contrast = contrast - torch.log_softmax(logits, dim=1)[torch.arange(16), rows].sum()
        terms["contrast"] = config.contrast_weight * contrast
    compare(model, w, plain(model, world, w, training=False)[0], ours, terms)


def test_evaluation_draws_nothing(world):
    model = make("lgmrec", world).eval()
    state = torch.get_rng_state()
    model.embed()
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("config", [{"keep_rate": 1.1}, {"keep_rate": 0.0}, {"num_hyperedges": 0}])
def test_what_makes_no_model_is_refused(config, world):
    with pytest.raises(UsageError, match=next(iter(config))):
        make("lgmrec", world, **config)
