"""Rows brought to unit length, scaled by a cosine or masked, without the tables in between that autograd keeps."""

from typing import Any

import torch
from torch import Tensor

SHORTEST = 1e-12  # a row shorter than this is divided by it, and not turned
SHORTEST_TURNED = 1e-8  # the same for a row that is scaled by a cosine
BLOCK_ENTRIES = 1 << 18  # of a table worked off at once: they stay in the cache


def unit_rows(x: Tensor) -> Tensor:
    """Rows over their lengths, the same as ``F.normalize`` of the last dimension: (…, D) -> (…, D).

    Fresh memory costs more than the arithmetic: forward and backward write one table each, where plain autograd writes
    ten.
    """
    result: Tensor = _UnitRows.apply(x)
    return result


class _UnitRows(torch.autograd.Function):
    """y = x / ‖x‖, whose gradient is that of y less its part along y, over the same length."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        lengths = torch.linalg.vector_norm(x, dim=-1, keepdim=True).clamp_(min=SHORTEST)
        unit = x / lengths
        ctx.save_for_backward(unit, lengths)
        return unit

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        unit, lengths = ctx.saved_tensors
        width = unit.shape[-1]
        tables = [t.reshape(-1, t.shape[-1]) for t in (gradient, unit, lengths)]
        result = torch.empty_like(tables[1])
        rows = max(1, BLOCK_ENTRIES // width)
        for g, y, length, out in zip(*(t.split(rows) for t in (*tables, result)), strict=True):
            along = torch.linalg.vecdot(g, y)[:, None].masked_fill_(length <= SHORTEST, 0)
            torch.addcmul(g, y, along, value=-1, out=out).div_(length)
        return result.view(unit.shape)


def times_cosine(x: Tensor, unit: Tensor) -> Tensor:
    """Rows x · cos(x, u), row by row, with rows u of unit length: (…, D), (…, D) -> (…, D)."""
    result: Tensor = _TimesCosine.apply(x, unit)
    return result


class _TimesCosine(torch.autograd.Function):
    """y = c x, c = ⟨x, u⟩ / ‖x‖; with s = ⟨g, x⟩, dx = c g + s (u / ‖x‖ - c x / ‖x‖²) and du = s x / ‖x‖."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, unit: Tensor) -> Tensor:
        lengths = torch.linalg.vector_norm(x, dim=-1, keepdim=True).clamp_(min=SHORTEST_TURNED)
        cosines = torch.linalg.vecdot(x, unit)[..., None] / lengths
        ctx.save_for_backward(x, unit, lengths, cosines)
        return x * cosines

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        x, unit, lengths, cosines = ctx.saved_tensors
        tables = [t.reshape(-1, t.shape[-1]) for t in (gradient, x, unit, lengths, cosines)]
        to_x, to_unit = torch.empty_like(tables[1]), torch.empty_like(tables[1])
        rows = max(1, BLOCK_ENTRIES // x.shape[-1])
        for g, y, u, length, cosine, dx, du in zip(*(t.split(rows) for t in (*tables, to_x, to_unit)), strict=True):
            pull = torch.linalg.vecdot(g, y)[:, None] / length
            torch.mul(y, pull, out=du)
            torch.mul(g, cosine, out=dx)
            dx.addcmul_(u, pull)
            dx.addcmul_(y, (pull * cosine / length).masked_fill_(length <= SHORTEST_TURNED, 0), value=-1)
        return to_x.view(x.shape), to_unit.view(x.shape)


def masked_cosine(x: Tensor, dropout: float) -> Tensor:
    """Each row's cosine with itself once numbers were dropped: (n, D) -> (n,).

    The same as ``F.cosine_similarity(x, F.dropout(x, dropout), dim=1)``; draws from torch's global generator.
    """
    result: Tensor = _MaskedCosine.apply(x, dropout)
    return result


class _MaskedCosine(torch.autograd.Function):
    """cos(x, kept x) = √(b / a), a the squares of a row and b those that are kept: (n, D) -> (n,).

    Its gradient is x (kept / √(a b) - √(b / a) / a); a row of which nothing is kept has cosine and gradient 0.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, dropout: float) -> Tensor:
        kept = torch.ones_like(x) if not dropout else torch.empty_like(x).bernoulli_(1 - dropout)
        masked = x * kept
        a, b = torch.linalg.vecdot(x, x), torch.linalg.vecdot(masked, masked)
        cosines = (b / a.clamp(min=SHORTEST**2)).sqrt()
        ctx.save_for_backward(x, masked, a, b, cosines)
        return cosines

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        x, masked, a, b, cosines = ctx.saved_tensors
        of_masked = (gradient / (a * b).sqrt()).masked_fill_(b == 0, 0)[:, None]
        of_all = (gradient * cosines / a).masked_fill_(a == 0, 0)[:, None]
        return (masked * of_masked).addcmul_(x, of_all, value=-1), None
