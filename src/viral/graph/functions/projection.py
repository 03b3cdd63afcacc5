"""Linear maps of features that stay as they are, quicker where they are wide.

Shapes: n rows, F features, D outputs.
"""

import weakref
from typing import Any

import torch
from torch import Tensor, nn

WIDE = 2048  # features; with 1024 nothing is won
ROWS = 1024  # of the features, multiplied at once
COLUMNS = 2048  # of the features, whose gradient is formed at once
KEPT_BYTES = 1 << 29  # of a second copy of the features: half a gigabyte


class Projection(nn.Linear):
    """x Wᵀ + b as ``nn.Linear`` has it, its start and its names too, for a table x that every step brings again.

    On a CPU the gradient of W, Gᵀ X, is quicker as (Xᵀ G)ᵀ with an Xᵀ that lies in order in memory (``python -m bench
    --only projection``). That copy is made at the first gradient and kept where it is small enough; a table that was
    changed, or is another one, is copied anew. Learnt features and other devices take the plain form. A second
    derivative is not to be had.
    """

    _copied: tuple[weakref.ref[Tensor], int, Tensor] | None = None  # of which table, in which version, and the copy

    def forward(self, x: Tensor) -> Tensor:
        """(n, F) -> (n, D)."""
        if x.requires_grad or x.shape[-1] < WIDE or x.device.type != "cpu":
            return super().forward(x)
        result: Tensor = _OfFixed.apply(x, self.weight, self.bias, self)
        return result

    def turned(self, x: Tensor) -> Tensor:
        """Xᵀ (F, n), in order where it is kept."""
        if x.nbytes > KEPT_BYTES:
            return x.T
        if self._copied is None or self._copied[0]() is not x or self._copied[1] != x._version:
            self._copied = weakref.ref(x), x._version, x.T.contiguous()
        return self._copied[2]


class _OfFixed(torch.autograd.Function):
    """y = x Wᵀ + b, so dW = Gᵀ X = (Xᵀ G)ᵀ and db = Σ G."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, layer: Projection) -> Tensor:
        ctx.x, ctx.layer = x, layer  # the table itself, by which its copy is known
        result = x.new_empty(len(x), len(weight))
        for rows, out in zip(x.split(ROWS), result.split(ROWS), strict=True):
            torch.mm(rows, weight.T, out=out) if bias is None else torch.addmm(bias, rows, weight.T, out=out)
        return result

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, Tensor | None, Tensor | None, None]:
        _, to_weight, to_bias, _ = ctx.needs_input_grad
        transposed = None
        if to_weight:
            turned = ctx.layer.turned(ctx.x)
            transposed = gradient.new_empty(len(turned), gradient.shape[1])  # (F, D)
            for columns, out in zip(turned.split(COLUMNS), transposed.split(COLUMNS), strict=True):
                torch.mm(columns, gradient, out=out)
        of_weight = None if transposed is None else transposed.T.contiguous()
        return None, of_weight, gradient.sum(dim=0) if to_bias else None, None
