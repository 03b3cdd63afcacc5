"""InfoNCE in both directions and in one. Shapes: B anchors, n rows or candidates, D embedding dimension.

The logits are cosines over a temperature, so no power exceeds e^(1/τ): where that is far from what a float can hold,
no maximum need be subtracted, and one pass of products and powers does. They are formed in blocks that stay in the
cache, and never held at once.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from viral.graph.functions.rows import unit_rows

SMALLEST_TEMPERATURE = 1 / 60  # below it the largest logit of a row is subtracted; float32 holds up to e^88
BLOCK_ENTRIES = 1 << 20  # of logits at once
KEPT_ENTRIES = 1 << 26  # of a table of powers that is kept for its gradient: a quarter of a gigabyte in float32


def info_nce(a: Tensor, b: Tensor, temperature: float, *, block_rows: int = 1024) -> Tensor:
    """Symmetric InfoNCE (van den Oord et al., 2018) between paired rows (n, D): mean of a→b and b→a, in nats.

    Cosine logits over all n rows. Both directions share them, since one's are the transpose of the other's, and the
    gradients are formed in the same pass; a second derivative is not to be had.
    """
    if temperature < SMALLEST_TEMPERATURE:
        return (one_way_info_nce(a, b, temperature) + one_way_info_nce(b, a, temperature)) / 2
    loss: Tensor = _BothWays.apply(unit_rows(a), unit_rows(b), temperature, block_rows)
    return loss


class _BothWays(torch.autograd.Function):
    """½ [ mean_i(lse_j L_ij - L_ii) + mean_j(lse_i L_ij - L_jj) ] with L = a bᵀ / τ.

    The gradients need the powers again once all sums are known. They are kept meanwhile where they are few enough, and
    formed again where not: three products of n × n × D, or four.
    """

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, temperature: float, block_rows: int) -> Tensor:
        of_rows, of_columns = a.new_zeros(len(a)), a.new_zeros(len(a))
        kept = a.new_empty(len(a), len(b)) if len(a) * len(b) <= KEPT_ENTRIES else None
        for rows, columns, powers in _blocks(a, b, temperature, block_rows, kept):
            of_rows[rows] += powers.sum(dim=1)
            of_columns[columns] += powers.sum(dim=0)
        if any(ctx.needs_input_grad):
            blocks = _blocks(a, b, temperature, block_rows) if kept is None else _places(kept, block_rows)
            ctx.save_for_backward(*_both_gradients(a, b, blocks, of_rows.reciprocal(), of_columns.reciprocal()))
            ctx.factor = 1 / (2 * len(a) * temperature)
        return (of_rows.log() + of_columns.log()).mean() / 2 - torch.linalg.vecdot(a, b).mean() / temperature

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None, None]:
        grad_a, grad_b = ctx.saved_tensors
        scale = gradient * ctx.factor
        return grad_a * scale, grad_b * scale, None, None


Blocks = Iterator[tuple[slice, slice, Tensor]]


def _both_gradients(
    a: Tensor, b: Tensor, blocks: Blocks, over_rows: Tensor, over_columns: Tensor
) -> tuple[Tensor, Tensor]:
    """Of the loss to a and b, times 2 n τ: powers become the sum of both softmaxes, less twice the partner."""
    grad_a, grad_b = torch.zeros_like(a), b.new_zeros(b.shape[1], len(b))
    for rows, columns, powers in blocks:
        powers *= over_rows[rows, None] + over_columns[columns]  # softmax over the row, and over the column
        grad_a[rows].addmm_(powers, b[columns])
        grad_b[:, columns].addmm_(a[rows].T, powers)
    return grad_a.sub_(b, alpha=2), grad_b.T - 2 * a


def _blocks(a: Tensor, b: Tensor, temperature: float, size: int, kept: Tensor | None = None) -> Blocks:
    """exp(a bᵀ / τ) in square blocks, each with its rows and columns, in their places of ``kept`` (n, n).

    Without it the next block overwrites the last.
    """
    memory = a.new_empty(min(size, len(a)), min(size, len(b))) if kept is None else kept
    for top in range(0, len(a), size):
        block = a[top : top + size] / temperature
        for left in range(0, len(b), size):
            columns = b[left : left + size]
            places = slice(top, top + size), slice(left, left + size)
            out = memory[: len(block), : len(columns)] if kept is None else memory[places]
            yield *places, torch.mm(block, columns.T, out=out).exp_()


def _places(kept: Tensor, size: int) -> Blocks:
    """The same blocks once they are there."""
    for top in range(0, len(kept), size):
        for left in range(0, kept.shape[1], size):
            places = slice(top, top + size), slice(left, left + size)
            yield *places, kept[places]


def distinct_info_nce(
    anchors: Tensor,
    candidates: Tensor,
    temperature: float,
    rows: Tensor,
    *,
    anchors_too: bool = True,
    cosine: bool = True,
) -> Tensor:
    """``one_way_info_nce`` of paired rows (B, D), whose candidates are alike where ``rows`` (B,), their indices, are.

    Each distinct one is worked off once and counted as often as it occurs: a batch draws popular items many times. So
    are the anchors, unless they differ within equal indices.
    """
    values, places, counts = torch.unique(rows, return_inverse=True, return_counts=True)
    order = torch.arange(len(rows), device=rows.device)
    first = torch.full_like(values, len(rows)).scatter_reduce_(0, places, order, "amin")
    c = candidates.index_select(0, first)
    if not anchors_too:
        return one_way_info_nce(anchors, c, temperature, positives=places, repeats=counts, cosine=cosine)
    a = anchors.index_select(0, first)
    return one_way_info_nce(a, c, temperature, repeats=counts, weights=counts, cosine=cosine)


def one_way_info_nce(
    anchors: Tensor,
    candidates: Tensor,
    temperature: float,
    *,
    positives: Tensor | None = None,
    repeats: Tensor | None = None,
    weights: Tensor | None = None,
    cosine: bool = True,
) -> Tensor:
    """InfoNCE from anchors (B, D) to candidates (n, D): the mean over anchors, in nats.

    -log( exp(cos(a_b, c_p(b)) / τ) / Σ_j r_j exp(cos(a_b, c_j) / τ) ), p = ``positives`` (B,), by default the candidate
    of the same row. A candidate counts r = ``repeats`` times (n,), an anchor in the mean with its share of ``weights``
    (B,), both by default once. Without ``cosine`` inner products take its place. The B × n logits are formed in blocks
    of anchors, and so are the gradients, in the same pass; a second derivative is not to be had.
    """
    if positives is None:
        positives = torch.arange(len(anchors), device=anchors.device)
    r = candidates.new_ones(len(candidates)) if repeats is None else repeats.to(candidates.dtype)
    w = anchors.new_ones(len(anchors)) if weights is None else weights.to(anchors.dtype)
    a, c = (unit_rows(anchors), unit_rows(candidates)) if cosine else (anchors, candidates)
    bounded = cosine and temperature >= SMALLEST_TEMPERATURE
    loss: Tensor = _OneWay.apply(a, c, positives, temperature, r, w / w.sum(), bounded)
    return loss


class _OneWay(torch.autograd.Function):
    """Σ_b w_b (lse_j(L_bj + log r_j) - L_b,p(b)) with L = a cᵀ / τ; its gradients are softmaxes less the positives."""

    @staticmethod
    def forward(
        ctx: Any,
        anchors: Tensor,
        candidates: Tensor,
        positives: Tensor,
        temperature: float,
        r: Tensor,
        w: Tensor,
        bounded: bool,
    ) -> Tensor:
        size = max(32, BLOCK_ENTRIES // max(1, len(candidates)))
        chosen = candidates.index_select(0, positives)  # (B, D)
        repeated = torch.mul(candidates.T, r).contiguous()  # (D, n): in this order narrow products are quicker
        weighted = anchors * w[:, None]
        grad_a, grad_c = torch.empty_like(anchors), candidates.new_zeros(candidates.shape[1], len(candidates))
        memory = anchors.new_empty(min(size, len(anchors)), len(candidates))
        lse = anchors.new_zeros(len(anchors))
        for block, shares, out, grad in zip(*(x.split(size) for x in (anchors, weighted, lse, grad_a)), strict=True):
            powers = torch.mm(block / temperature, candidates.T, out=memory[: len(block)])  # (b, n), logits as yet
            if not bounded:
                largest = powers.amax(dim=1)
                out += largest
                powers -= largest[:, None]
            sums = torch.mv(powers.exp_(), r)
            out += sums.log()
            torch.mm(powers, repeated.T, out=grad).div_(sums[:, None])
            grad_c.addmm_((shares / sums[:, None]).T, powers)
        grad_a.sub_(chosen).mul_(w[:, None] / temperature)
        grad_c = torch.mul(grad_c.T, r[:, None]).index_add_(0, positives, weighted, alpha=-1).div_(temperature)
        ctx.save_for_backward(grad_a, grad_c)
        return torch.dot(w, lse - torch.linalg.vecdot(anchors, chosen) / temperature)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        grad_a, grad_c = ctx.saved_tensors
        return grad_a * gradient, grad_c * gradient, None, None, None, None, None
