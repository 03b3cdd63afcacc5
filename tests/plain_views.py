"""The pieces of MGCN and its kin once more, plainly: dense graphs, loops over items, whole matrices of logits."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from viral.data.interactions import Triplets
from viral.models import Embeddings
from viral.models.base import EmbeddingRecommender
from worlds import World

Weights = Mapping[str, Tensor]


def features_of(model: EmbeddingRecommender, world: World, weights: Weights) -> dict[str, Tensor]:
    """{role: (I, F)}, visual first: the data's, or the parameters that took their place."""
    names = {"visual": model.config.visual, "text": model.config.text}
    given = {role: world.inputs.features[name].double() for role, name in names.items() if name is not None}
    return {role: weights.get(f"learnt.{role}", x) for role, x in given.items()}


def linear(w: Weights, name: str, x: Tensor) -> Tensor:
    y = x @ w[f"{name}.weight"].T
    return y + w[f"{name}.bias"] if f"{name}.bias" in w else y


def gated(w: Weights, prefix: str, ids: Tensor, x: Tensor) -> Tensor:
    return ids * torch.sigmoid(linear(w, f"{prefix}.gate", linear(w, f"{prefix}.project", x)))


def nearest(x: Tensor, k: int) -> list[list[int]]:
    """Each item's k nearest by cosine, itself first."""
    cosine = F.cosine_similarity(x.float()[:, None], x.float()[None], dim=-1)
    others = [sorted((j for j in range(len(x)) if j != i), key=lambda j: -cosine[i, j].item()) for i in range(len(x))]
    return [[i, *others[i][: k - 1]] for i in range(len(x))]


def scaled(w: Tensor) -> Tensor:
    """D^-1/2 W D^-1/2 with the row sums on both sides; nothing where a row sums to nothing."""
    sums = w.sum(dim=1)
    scale = torch.where(sums > 0, sums.clamp(min=1e-30) ** -0.5, 0)
    return scale[:, None] * w * scale[None, :]


def cosine_graph(x: Tensor, k: int) -> Tensor:
    """The k largest cosines of each item, negative ones counting 0, normalised."""
    w = torch.zeros(len(x), len(x), dtype=torch.float64)
    for i, row in enumerate(nearest(x, k)):
        for j in row:
            w[i, j] = max(0.0, F.cosine_similarity(x[i].double(), x[j].double(), dim=0).item())
    return scaled(w)


def mean_of_layers(a: Tensor, x: Tensor, num_layers: int) -> Tensor:
    layers = [x]
    for _ in range(num_layers):
        layers.append(a @ layers[-1])
    return torch.stack(layers).mean(dim=0)


def last_layer(a: Tensor, x: Tensor, num_layers: int) -> Tensor:
    for _ in range(num_layers):
        x = a @ x
    return x


def attend(w: Weights, name: str, x: Tensor) -> Tensor:
    return torch.tanh(linear(w, f"{name}.0", x)) @ w[f"{name}.2.weight"].T


def fused(w: Weights, behaviour: Tensor, views: list[Tensor]) -> Tensor:
    """MGCN's fuser, as the description has it."""
    if len(views) == 1:
        return views[0]
    alpha = torch.softmax(torch.stack([attend(w, "fuser.attention", v) for v in views]), dim=0)  # (M, n, 1)
    common = (alpha * torch.stack(views)).sum(dim=0)
    parts = [common]
    for m, view in enumerate(views):
        parts.append(torch.sigmoid(linear(w, f"fuser.preferences.{m}", behaviour)) * (view - common))
    return torch.stack(parts).mean(dim=0)


def contrast(a: Tensor, b: Tensor, temperature: float) -> Tensor:
    """Mean of -log softmax of row i's logits at i: row i of a against all rows of b."""
    logits = F.normalize(a, dim=1) @ F.normalize(b, dim=1).T / temperature
    return F.cross_entropy(logits, torch.arange(len(a)))


def ranking(nodes: Tensor, batch: Triplets, num_users: int, reg_weight: float) -> dict[str, Tensor]:
    u, p, n = nodes[batch.users], nodes[num_users + batch.positives], nodes[num_users + batch.negatives]
    bpr = -torch.sigmoid((u * p).sum(1) - (u * n).sum(1)).log().mean()
    return {"bpr": bpr, "reg": reg_weight * 0.5 * ((u**2).sum() + (p**2).sum() + (n**2).sum()) / len(u)}


def compare(
    model: EmbeddingRecommender, w: Weights, nodes: Tensor, ours: dict[str, Tensor], theirs: dict[str, Tensor]
) -> None:
    """Representations of all nodes, every term of the loss and every gradient; graphs are built in single precision."""
    users, items = nodes.split([model.num_users, model.num_items])
    torch.testing.assert_close(model.eval().embed(), Embeddings(users, items), rtol=1e-5, atol=1e-6)
    assert ours.keys() == theirs.keys()
    for name, term in ours.items():
        torch.testing.assert_close(term, theirs[name], rtol=1e-5, atol=1e-8, msg=lambda m, name=name: f"{name}: {m}")
    sum(ours.values()).backward()
    sum(theirs.values()).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad.abs().max() > 0, name
        torch.testing.assert_close(
            parameter.grad, w[name].grad, rtol=1e-5, atol=1e-7, msg=lambda m, name=name: f"{name}: {m}"
        )
