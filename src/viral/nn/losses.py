"""Losses that at least two models share. Shapes: B batch, n rows, D embedding dimension."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def bpr_loss(positive_scores: Tensor, negative_scores: Tensor) -> Tensor:
    """Bayesian personalised ranking (Rendle et al., UAI 2009): -E[log σ(s⁺ - s⁻)], in nats."""
    return -F.logsigmoid(positive_scores - negative_scores).mean()


def bpr_loss_bits(positive_scores: Tensor, negative_scores: Tensor) -> Tensor:
    """BPR with the logarithm to base 2, as DRAGON and VIRAL have it: 1.443 times heavier beside the other terms."""
    return bpr_loss(positive_scores, negative_scores) / math.log(2)


def norm_penalty(*embeddings: Tensor) -> Tensor:
    """Σ ‖E‖_F / B of the batch's embeddings, norms not squared: the regulariser behind the published reg grids."""
    return torch.stack([e.norm() for e in embeddings]).sum() / len(embeddings[0])


def dot(a: Tensor, b: Tensor) -> Tensor:
    """Row-wise inner product: (B, D), (B, D) -> (B,)."""
    return (a * b).sum(dim=-1)
