"""Losses that at least two models share. Shapes: B batch, n rows, D embedding dimension."""

import math
from collections.abc import Iterable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def bpr_loss(positive_scores: Tensor, negative_scores: Tensor) -> Tensor:
    """Bayesian personalised ranking (Rendle et al., UAI 2009): -E[log σ(s⁺ - s⁻)], in nats."""
    return -F.logsigmoid(positive_scores - negative_scores).mean()


def bpr_triplets(users: Tensor, chosen: Tensor, skipped: Tensor) -> Tensor:
    """:func:`bpr_loss` of inner products ⟨u, i⟩ and ⟨u, j⟩ over (B, D) each, with its gradients in one go."""
    result: Tensor = _BPRTriplets.apply(users, chosen, skipped)
    return result


class _BPRTriplets(torch.autograd.Function):
    """With x = ⟨u, i - j⟩ and c = -σ(-x) / B the gradients are c (i - j), c u and -c u."""

    @staticmethod
    def forward(ctx: Any, users: Tensor, chosen: Tensor, skipped: Tensor) -> Tensor:
        apart = chosen - skipped
        margins = torch.linalg.vecdot(users, apart)
        ctx.save_for_backward(users, apart, margins)
        return -F.logsigmoid(margins).mean()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        users, apart, margins = ctx.saved_tensors
        pull = torch.sigmoid(-margins).mul_(-gradient / len(margins))[:, None]
        to_chosen = users * pull
        return apart * pull, to_chosen, -to_chosen


def bpr_loss_bits(positive_scores: Tensor, negative_scores: Tensor) -> Tensor:
    """BPR with the logarithm to base 2, as DRAGON and VIRAL have it: 1.443 times heavier beside the other terms."""
    return bpr_loss(positive_scores, negative_scores) / math.log(2)


def norm_penalty(*embeddings: Tensor) -> Tensor:
    """Σ ‖E‖_F / B of the batch's embeddings, norms not squared: the regulariser behind the published reg grids."""
    return torch.stack([e.norm() for e in embeddings]).sum() / len(embeddings[0])


def half_squares(*tables: Tensor) -> Tensor:
    """½ Σ ‖E‖² / B of tables (B, D)."""
    return sum_of(table.square().sum() for table in tables) / (2 * len(tables[0]))


def sum_of(tensors: Iterable[Tensor]) -> Tensor:
    """Sum of at least one tensor."""
    first, *others = tensors
    for other in others:
        first = first + other
    return first


def dot(a: Tensor, b: Tensor) -> Tensor:
    """Row-wise inner product: (B, D), (B, D) -> (B,)."""
    return (a * b).sum(dim=-1)
