"""The softmax over items of which a user's other items are left out. Shapes: B users, E pairs, I items, n candidates.

Many negatives at once, the hard ones counting most (Wu et al., "On the Effectiveness of Sampled Softmax Loss for Item
Recommendation", TOIS 2024; Mao et al., "SimpleX", CIKM 2021, for cosines). D is the embedding dimension.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

LEAST_SUM = 1e-30  # of a user whose own items are all the candidates there are


def softmax_loss(
    users: Tensor,
    items: Tensor,
    rows: Tensor,
    positives: Tensor,
    temperature: float,
    *,
    candidates: Tensor | None = None,
) -> Tensor:
    """Mean over pairs of -log( e^{s_ui/τ} / (e^{s_ui/τ} + Σ_{j ∉ N_u} e^{s_uj/τ}) ), s the inner product.

    ``users`` (B, D) and ``items`` (I, D) have rows of unit length; pair p is of user row ``rows`` (E,) and item
    ``positives`` (E,), and together they are N_u. With ``candidates`` (n,), items drawn uniformly without replacement,
    the sum is that over the drawn ones times I / n. A second derivative is not to be had.
    """
    loss: Tensor = _Softmax.apply(users, items, rows, positives, temperature, candidates)
    return loss


class _Softmax(torch.autograd.Function):
    """E⁻¹ Σ_p log(1 + e^{x_p}), x_p = log Σ_j e^{s_uj/τ} - s_p/τ; cosines over τ are small enough for plain powers."""

    @staticmethod
    def forward(
        ctx: Any,
        users: Tensor,
        items: Tensor,
        rows: Tensor,
        positives: Tensor,
        temperature: float,
        drawn: Tensor | None,
    ) -> Tensor:
        among = items if drawn is None else items.index_select(0, drawn)  # (n, D)
        powers = torch.mm(users, among.T).div_(temperature).exp_()  # (B, n)
        _leave_out(powers, rows, positives, len(items), drawn)
        sums = powers.sum(dim=1).clamp_(min=LEAST_SUM)  # (B,)
        chosen, owners = items.index_select(0, positives), users.index_select(0, rows)  # (E, D)
        lead = (sums * (len(items) / len(among))).log().index_select(0, rows)
        lead -= torch.linalg.vecdot(owners, chosen) / temperature  # x (E,)
        pull = torch.sigmoid(lead).div_(len(rows) * temperature)  # dL/dx over τ
        of_users = pull.new_zeros(len(users)).index_add_(0, rows, pull)
        powers *= (of_users / sums)[:, None]
        grad_users = torch.mm(powers, among).index_add_(0, rows, chosen.mul_(-pull[:, None]))
        grad_items, grad_among = torch.zeros_like(items), torch.mm(powers.T, users)
        grad_items = grad_among if drawn is None else grad_items.index_copy_(0, drawn, grad_among)
        grad_items.index_add_(0, positives, owners.mul_(-pull[:, None]))
        ctx.save_for_backward(grad_users, grad_items)
        return F.softplus(lead).mean()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        grad_users, grad_items = ctx.saved_tensors
        return grad_users * gradient, grad_items * gradient, None, None, None, None


def _leave_out(powers: Tensor, rows: Tensor, positives: Tensor, num_items: int, drawn: Tensor | None) -> None:
    """Set the users' own items among the candidates to 0, in place."""
    if drawn is None:
        powers[rows, positives] = 0
        return
    place = torch.full((num_items,), -1, device=powers.device)
    place[drawn] = torch.arange(len(drawn), device=powers.device)
    columns = place[positives]
    there = columns >= 0
    powers[rows[there], columns[there]] = 0
