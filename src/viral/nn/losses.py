"""Losses that at least two models share. Shapes: B batch, n rows, D embedding dimension."""

import math
from typing import Any

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


def info_nce(a: Tensor, b: Tensor, temperature: float, *, block_rows: int = 1024) -> Tensor:
    """Symmetric InfoNCE (van den Oord et al., 2018) between paired rows (n, D): mean of a→b and b→a, in nats.

    Cosine logits over all n rows. The n × n logits are formed in blocks of rows and formed again in the backward pass,
    never held at once; both directions share them, since one is the transpose of the other.
    """
    return _InfoNCE.apply(F.normalize(a, dim=-1), F.normalize(b, dim=-1), temperature, block_rows)


class _InfoNCE(torch.autograd.Function):
    """½ [ mean_i(lse_j L_ij - L_ii) + mean_j(lse_i L_ij - L_jj) ] with L = a bᵀ / τ."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, temperature: float, block_rows: int) -> Tensor:
        row_lse, column_max, column_sum = [], None, None
        for block in a.split(block_rows):
            logits = block @ b.T / temperature  # (r, n)
            row_lse.append(logits.logsumexp(dim=1))
            top = logits.amax(dim=0)
            if column_max is None or column_sum is None:
                column_max, column_sum = top, (logits - top).exp_().sum(dim=0)
            else:
                new_max = torch.maximum(column_max, top)
                column_sum = column_sum * (column_max - new_max).exp() + (logits - new_max).exp_().sum(dim=0)
                column_max = new_max
        assert column_max is not None and column_sum is not None
        rows, columns = torch.cat(row_lse), column_max + column_sum.log()
        ctx.save_for_backward(a, b, rows, columns)
        ctx.temperature, ctx.block_rows = temperature, block_rows
        return (rows + columns).mean() / 2 - dot(a, b).mean() / temperature

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None, None]:
        a, b, row_lse, column_lse = ctx.saved_tensors
        grad_a, grad_b = [], torch.zeros_like(b)
        for block, rows in zip(a.split(ctx.block_rows), row_lse.split(ctx.block_rows), strict=True):
            logits = block @ b.T / ctx.temperature
            weights = (logits - rows[:, None]).exp_()  # softmax over the row
            weights += logits.sub_(column_lse).exp_()  # softmax over the column
            grad_a.append(weights @ b)
            grad_b.addmm_(weights.T, block)
        scale = gradient / (2 * len(a) * ctx.temperature)
        return (torch.cat(grad_a) - 2 * b) * scale, (grad_b - 2 * a) * scale, None, None
