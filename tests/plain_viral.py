"""VIRAL written once more, plainly: dense graphs, torch's own attention, the whole matrix of InfoNCE logits.

Follows the description of the method (arXiv 2511.02113; the branches ``redu2`` and ``master``, and the paper's text)
step by step and shares nothing with ``viral.models.viral.paper`` but the names of its weights. Shapes: U users, I
items, B batch.
"""

import math
from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from viral.data.interactions import Interactions, Triplets
from viral.models.viral.paper import VIRALConfig

Weights = Mapping[str, Tensor]


def normalised(matrix: Tensor) -> Tensor:
    """D^-1/2 [[0, R], [Rᵀ, 0]] D^-1/2 of the user-item matrix R (U, I)."""
    num_users, num_items = matrix.shape
    square = torch.zeros(num_users + num_items, num_users + num_items, dtype=matrix.dtype)
    square[:num_users, num_users:] = matrix
    square[num_users:, :num_users] = matrix.T
    degree = square.sum(dim=1)
    scale = torch.where(degree > 0, degree.clamp(min=1) ** -0.5, 0)
    return torch.diag(scale) @ square @ torch.diag(scale)


def neighbour_mean(features: Tensor, k: int) -> Tensor:
    """The mean over the k items of largest cosine, the item itself being one: (I, I)."""
    cosine = F.cosine_similarity(features[:, None], features[None], dim=-1)
    graph = torch.zeros_like(cosine)
    for item, row in enumerate(cosine):
        others = sorted((j for j in range(len(row)) if j != item), key=lambda j: -row[j].item())
        for j in [item, *others[: k - 1]]:
            graph[item, j] = 1 / min(k, len(row))
    return graph


def like_minded(matrix: Tensor, k: int) -> Tensor:
    """Softmax over the counts of shared items of the k users who share most: (U, U)."""
    counts = (matrix @ matrix.T).fill_diagonal_(0)
    graph = torch.zeros_like(counts)
    for user, row in enumerate(counts):
        best = sorted((v for v in range(len(row)) if row[v] > 0), key=lambda v: (-row[v].item(), v))[:k]
        if best:
            graph[user, best] = torch.softmax(row[best], dim=0)
    return graph


def encoder(w: Weights, prefix: str, query: Tensor, key: Tensor) -> Tensor:
    """A pre-norm encoder layer over sequences of one token each."""
    dim = query.shape[1]

    def norm(name: str, x: Tensor) -> Tensor:
        return F.layer_norm(x, (dim,), w[f"{prefix}.{name}.weight"], w[f"{prefix}.{name}.bias"])

    attention = nn.MultiheadAttention(dim, num_heads=1, dtype=query.dtype)
    weights = dict(attention.named_parameters())
    in_weight, in_bias = weights["in_proj_weight"], torch.randn(3 * dim, dtype=query.dtype)
    copied = {
        "in_proj_weight": torch.cat([in_weight[: 2 * dim].detach(), w[f"{prefix}.value.weight"]]),
        "in_proj_bias": torch.cat([in_bias[: 2 * dim], w[f"{prefix}.value.bias"]]),
        "out_proj.weight": w[f"{prefix}.out.weight"],
        "out_proj.bias": w[f"{prefix}.out.bias"],
    }
    x = query * dim**0.5
    q, kv = norm("norm_attention", x)[None], norm("norm_attention", key * dim**0.5)[None]  # (1, I, d)
    attended, _ = torch.func.functional_call(attention, copied, (q, kv, kv))
    y = x + attended[0]
    inner = torch.relu(norm("norm_feedforward", y) @ w[f"{prefix}.expand.weight"].T + w[f"{prefix}.expand.bias"])
    z = y + inner @ w[f"{prefix}.contract.weight"].T + w[f"{prefix}.contract.bias"]
    return norm("norm_out", z)


def contrast(a: Tensor, b: Tensor, temperature: float) -> Tensor:
    """Symmetric InfoNCE over cosines, by cross entropy on the explicit logits."""
    logits = F.normalize(a, dim=1) @ F.normalize(b, dim=1).T / temperature
    target = torch.arange(len(a))
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2


def synergy_of(w: Weights, t: Tensor, v: Tensor) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:
    """Synergy (I, d) and the pair that its loss aligns."""
    a = encoder(w, "synergy.cross_text", t, v)
    a = encoder(w, "synergy.self_text", a, a)
    b = encoder(w, "synergy.cross_visual", v, t)
    b = encoder(w, "synergy.self_visual", b, b)
    return (a + b) / 2, [(a, b)]


def unique_of(w: Weights, t: Tensor, v: Tensor, *, learned_mask: bool) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:
    """Unique picture (I, d) and the pairs that the loss of the redundancy aligns."""
    no_t, no_v = (row.expand_as(t) for row in w["redundancy.mask"]) if learned_mask else (torch.zeros_like(t),) * 2
    h, h_t, h_v = (
        encoder(w, "redundancy.encoder", x, x)
        for x in (
            torch.cat(pair, dim=1) @ w["redundancy.join.weight"].T + w["redundancy.join.bias"]
            for pair in ((t, v), (t, no_v), (no_t, v))
        )
    )
    r = (h + h_t + h_v) / 3
    projection = (v * r).sum(1, keepdim=True) / ((r * r).sum(1, keepdim=True) + 1e-8) * r
    unique = (v - projection) / (v - projection).norm(dim=1, keepdim=True)
    return unique, [(h_t, r), (h_v, r), (h_v, h_t)]


def mlp(w: Weights, branch: str, x: Tensor) -> Tensor:
    """Linear, leaky ReLU, Linear; a linear layer and a leaky ReLU for the unique part."""
    x = F.leaky_relu(x @ w[f"encoders.{branch}.0.weight"].T + w[f"encoders.{branch}.0.bias"], 0.01)
    return x if branch == "unique_visual" else x @ w[f"encoders.{branch}.2.weight"].T + w[f"encoders.{branch}.2.bias"]


def plain_viral(
    w: Weights,
    config: VIRALConfig,
    train: Interactions,
    features: Mapping[str, Tensor],
    user_graph: Tensor | None = None,
) -> tuple[Tensor, Tensor, Callable[[Triplets], dict[str, Tensor]]]:
    """Users (U, P·D), items (I, P·D) and the loss; ``features`` has the roles text and visual, or one of them."""
    matrix = torch.zeros(train.num_users, train.num_items, dtype=torch.float64)
    matrix[train.users, train.items] = 1
    aligned: list[list[tuple[Tensor, Tensor]]] = []
    if len(features) == 2:
        t, v = (
            x @ w[f"projections.{m}.weight"].T + w[f"projections.{m}.bias"] if f"projections.{m}.weight" in w else x
            for m, x in (("text", features["text"]), ("visual", features["visual"]))
        )
        synergy, pair = synergy_of(w, t, v)
        aligned.append(pair)
        if config.variant == "master":
            inputs = {"visual": features["visual"], "synergy": synergy, "text": features["text"]}
        else:
            unique, pairs = unique_of(w, t, v, learned_mask=config.variant == "paper")
            aligned.append(pairs)
            inputs = {"text": features["text"], "synergy": synergy, "unique_visual": unique}
        shares = {"text": 1 - config.visual_weight, "visual": config.visual_weight}
    else:
        inputs = {"text" if "text" in features else "unique_visual": next(iter(features.values()))}
        shares = dict.fromkeys(features, 1.0)
    user_weights = w["branch_weights"]
    if config.variant == "paper":
        user_weights = user_weights.exp() / user_weights.exp().sum(dim=1, keepdim=True)
    a_hat = normalised(matrix)
    users, items = [], []
    for p, (branch, x) in enumerate(inputs.items()):
        x0 = torch.cat([w["preferences"][p], mlp(w, branch, x)])
        total = layer = x0 / x0.norm(dim=1, keepdim=True)
        for _ in range(config.num_layers):
            layer = a_hat @ layer
            total = total + layer
        users.append(user_weights[:, p : p + 1] * total[: train.num_users])
        items.append(total[train.num_users :])
    u_f, i_f = torch.cat(users, dim=1), torch.cat(items, dim=1)
    item_graph = sum(shares[m] * neighbour_mean(x, config.num_neighbors) for m, x in features.items())
    attention = like_minded(matrix, config.num_user_neighbors) if user_graph is None else user_graph
    u, i = 0.5 * (u_f + attention @ u_f), i_f + item_graph @ i_f

    def loss(batch: Triplets) -> dict[str, Tensor]:
        difference = (u[batch.users] * (i[batch.positives] - i[batch.negatives])).sum(dim=1)
        squares = (
            sum((table[batch.users] ** 2).mean() for table in w["preferences"]) + (w["branch_weights"] ** 2).mean()
        )
        terms = {"bpr": -torch.sigmoid(difference).log().mean() / math.log(2), "reg": config.reg_weight * squares}
        rows = torch.arange(train.num_items)
        if config.alignment_items is not None and config.alignment_items < train.num_items:
            rows = torch.tensor(sorted(set(batch.negatives[: config.alignment_items].tolist())))
        for name, pairs in zip(("synergy", "redundancy"), aligned, strict=False):
            alignment = sum(contrast(x[rows], y[rows], config.temperature) for x, y in pairs)
            terms[name] = config.alignment_weight * alignment
        return terms

    return u, i, loss
