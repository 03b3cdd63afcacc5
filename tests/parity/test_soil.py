"""SOIL against the equations of its paper with dense matrices, graphs by loops over users and items."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from plain_content import BOTH, make, weights_of, world_with_gaps
from plain_views import (
    attend,
    compare,
    contrast,
    cosine_graph,
    features_of,
    gated,
    last_layer,
    mean_of_layers,
    ranking,
    scaled,
)
from plain_viral import normalised
from viral.base.errors import UsageError
from viral.models.baselines import soil
from worlds import World, dense, first_batch

VARIANTS = BOTH | {
    "other depths": {"num_layers": 3, "num_item_layers": 2, "num_neighbors": 3},
    "few interests": {"num_interests": 3, "num_candidates": 1},
    "more than there is": {"num_interests": 30, "num_candidates": 30},
    "other weights": {"reg_weight": 0.3, "contrast_weight": 2.0, "temperature": 0.7, "interest_weight": 0.6},
    "ranking alone": {"contrast_weight": 0.0, "interest_weight": 0.0},
    "learnt features": {"learn_features": True},
}


@pytest.fixture(scope="module")
def world() -> World:
    return world_with_gaps()


def cosines(x: Tensor) -> Tensor:
    return F.cosine_similarity(x[:, None], x[None], dim=-1)


def best(scores: dict[int, float], k: int) -> list[int]:
    return sorted(scores, key=lambda j: -scores[j])[:k]


def graphs(r: Tensor, s: dict[str, Tensor], config) -> tuple[Tensor, dict[str, Tensor]]:
    """The second-order interactions (eq. 2, 3) and the pairs that interest joins, by modality (eq. 6 to 8)."""
    attraction = torch.stack(list(s.values())).prod(dim=0)
    second, joined = torch.zeros_like(r), {role: torch.zeros_like(x) for role, x in s.items()}
    for u, row in enumerate(r):
        taken = [i for i in range(20) if row[i]]
        if not taken:
            continue
        open_items = {j: max(attraction[i, j].item() for i in taken) for j in range(20) if j not in taken}
        for j in best(open_items, config.num_candidates):
            second[u, j] = max(0.0, open_items[j])
        liked = set()
        for x in s.values():
            liked |= set(best({j: sum(x[i, j].item() for i in taken) for j in range(20)}, config.num_interests))
        for role, x in s.items():
            for i in taken:
                for j in liked:
                    joined[role][i, j] = max(0.0, x[i, j].item())
    return second, joined


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=list(VARIANTS))
def test_soil(variant, world, monkeypatch):
    monkeypatch.setattr(soil, "BLOCK_BYTES", 4 * 25 * 3)  # three items a block
    monkeypatch.setattr(soil, "ROWS_AT_ONCE", 4)  # which parts what a user took
    model = make("soil", world, **variant)
    config, w, batch = model.config, weights_of(model), first_batch(world, 16)
    given, r = features_of(model, world, {}), dense(world.split.train)
    second, joined = graphs(r, {role: cosines(x) for role, x in given.items()}, config)
    both = torch.zeros(45, 45, dtype=torch.float64)
    both[:25, 25:], both[25:, :25] = second, second.T
    a_hat = normalised(r) + scaled(both)
    items = w["item_ids.weight"]
    behaviour = mean_of_layers(a_hat, torch.cat([w["user_ids.weight"], items]), config.num_layers)
    views = []
    for role, x in features_of(model, world, w).items():
        item_graph = scaled(joined[role]) + cosine_graph(given[role], config.num_neighbors)
        moved = last_layer(item_graph, gated(w, f"purifiers.{role}", items, x), config.num_item_layers)
        views.append(torch.cat([a_hat[:25, 25:] @ moved, moved]))
    side = views[0]
    if len(views) == 2:
        alpha = torch.softmax(torch.stack([attend(w, "attention", x) for x in views]), dim=0)
        side = ((1 - alpha) * torch.stack(views)).sum(dim=0)
    nodes = behaviour + side
    terms = ranking(nodes, batch, 25, config.reg_weight)
    u, i = batch.users, 25 + batch.positives
    if config.contrast_weight:
        agreement = sum(contrast(behaviour[n], side[n], config.temperature) for n in (u, i))
        terms["contrast"] = config.contrast_weight * agreement
    if config.interest_weight:
        interest = sum(contrast(nodes[u], x[i], config.temperature) for x in (behaviour, side))
        terms["interest"] = config.interest_weight * interest
    compare(model, w, nodes, model.loss(batch), terms)


def test_blocks_make_no_difference(world, monkeypatch):
    train, features = (
        world.split.train,
        {"text": world.inputs.features["text"], "visual": world.inputs.features["image"]},
    )
    whole = soil.user_interests(train, features, 4, 3)
    monkeypatch.setattr(soil, "BLOCK_BYTES", 1)
    single = soil.user_interests(train, features, 4, 3)
    torch.testing.assert_close(whole.weights, single.weights)
    some = whole.weights > 0
    assert torch.equal(whole.candidates[some], single.candidates[some])
    # who took two items is exactly as interested in the one as in the other, so their order is open
    several = train.user_degrees() > 2
    assert torch.equal(whole.liked[several], single.liked[several])


def test_second_order_interest_is_never_what_was_taken(world):
    train = world.split.train
    found = soil.user_interests(train, {"text": world.inputs.features["text"]}, 5, 3)
    taken = set(zip(train.users.tolist(), train.items.tolist(), strict=True))
    pairs = [(u, found.candidates[u, n].item()) for u, n in (found.weights > 0).nonzero().tolist()]
    assert len(pairs) > 50
    assert not taken & set(pairs)


@pytest.mark.parametrize("config", [{"num_candidates": 0}, {"num_interests": 0}, {"interest_weight": -1.0}])
def test_what_makes_no_model_is_refused(config, world):
    with pytest.raises(UsageError, match=next(iter(config))):
        make("soil", world, **config)
