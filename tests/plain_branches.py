"""What the parity tests of DRAGON and its kin share: the branches of the user-item graph, written plainly."""

from collections.abc import Callable, Mapping

import pytest
import torch
from torch import Tensor

from plain_content import Weights, weights_of
from plain_viral import neighbour_mean
from viral.data.interactions import Triplets
from viral.models import EmbeddingRecommender
from worlds import World


def features_of(model: EmbeddingRecommender, world: World) -> dict[str, Tensor]:
    """The features that the model's configuration names: visual first, as published models order them."""
    named = {"visual": model.config.visual, "text": model.config.text}
    return {role: world.inputs.features[m].double() for role, m in named.items() if m is not None}


def similar_items(features: Mapping[str, Tensor], k: int, visual_weight: float) -> Tensor:
    """S = w kNN(visual) + (1 - w) kNN(text), or that of the only modality: (I, I)."""
    shares = {"visual": visual_weight, "text": 1 - visual_weight} if len(features) == 2 else dict.fromkeys(features, 1)
    return sum(shares[role] * neighbour_mean(x, k) for role, x in features.items())


def encoded(w: Weights, prefix: str, name: str, x: Tensor) -> Tensor:
    """Linear, leaky ReLU, Linear: (I, F) -> (I, D)."""
    at = f"{prefix}.encoders.{name}"
    x = x @ w[f"{at}.0.weight"].T + w[f"{at}.0.bias"]
    return torch.where(x > 0, x, 0.01 * x) @ w[f"{at}.2.weight"].T + w[f"{at}.2.bias"]


def unit_rows(x: Tensor) -> Tensor:
    """Every row at length 1."""
    return x / (x * x).sum(dim=1, keepdim=True).sqrt()


def layer_sum(a_hat: Tensor, x: Tensor, num_layers: int) -> Tensor:
    """X + ÂX + Â²X + …"""
    total = layer = x
    for _ in range(num_layers):
        layer = a_hat @ layer
        total = total + layer
    return total


def compare(
    model: EmbeddingRecommender,
    world: World,
    plain: Callable[[Weights], tuple[Tensor, Tensor]],
    terms: Callable[[Weights, Tensor, Tensor, Triplets], dict[str, Tensor]],
    batch: Triplets,
    untrained: tuple[str, ...] = (),
) -> None:
    """Representations, each loss term and each gradient against those of the plain form.

    ``untrained`` begin the names of parameters that a switch leaves without a gradient, in both.
    """
    w = weights_of(model)
    users, items = plain(w)
    embeddings = model.embed()
    torch.testing.assert_close(embeddings.users, users, rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(embeddings.items, items, rtol=1e-5, atol=1e-7)
    ours, theirs = model.loss(batch), terms(w, users, items, batch)
    assert ours.keys() == theirs.keys()
    for name, term in ours.items():
        assert term.abs() > 0, name
        torch.testing.assert_close(term, theirs[name], rtol=1e-6, atol=1e-8, msg=lambda m, name=name: f"{name}: {m}")
    sum(ours.values()).backward()
    sum(theirs.values()).backward()
    for name, parameter in model.named_parameters():
        if untrained and name.startswith(untrained):
            assert all(grad is None or not grad.any() for grad in (parameter.grad, w[name].grad)), name
            continue
        assert parameter.grad.abs().max() > 0, name
        torch.testing.assert_close(
            parameter.grad, w[name].grad, rtol=1e-5, atol=1e-8, msg=lambda m, name=name: f"{name}: {m}"
        )


def ranking_bits(users: Tensor, items: Tensor, batch: Triplets) -> Tensor:
    """-mean log2 σ(s⁺ - s⁻)."""
    u, p, n = users[batch.users], items[batch.positives], items[batch.negatives]
    return -torch.log2(torch.sigmoid((u * p).sum(1) - (u * n).sum(1))).mean()


def pads_for_an_epoch(model: EmbeddingRecommender, rebuilt: Callable[[Tensor | None], Tensor]) -> None:
    """Training reads the padded user graph of the epoch, ranking the unpadded; ``rebuilt`` gives the users for one."""
    model.train()
    model.on_epoch_start(torch.Generator().manual_seed(0))
    drawn = model.user_graph.of_epoch.to_torch().to_dense()
    assert not torch.allclose(drawn, model.user_graph.full.to_torch().to_dense())
    torch.testing.assert_close(model.embed().users, rebuilt(drawn), rtol=1e-5, atol=1e-7)
    users = model.scorer().users
    torch.testing.assert_close(users, rebuilt(None).detach(), rtol=1e-5, atol=1e-7)
    assert users.shape[1] == pytest.approx(model.embed().users.shape[1])
