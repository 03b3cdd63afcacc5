"""Values in the place of others, which get their gradient."""

from typing import Any

import torch
from torch import Tensor


def instead(values: Tensor, of: Tensor) -> Tensor:
    """``values``, with their gradient going to ``of``, a table of the same shape: ``of + (values - of).detach()``."""
    result: Tensor = _Instead.apply(of, values)
    return result


class _Instead(torch.autograd.Function):
    """Without the table of differences, and without its rounding."""

    @staticmethod
    def forward(ctx: Any, of: Tensor, values: Tensor) -> Tensor:
        return values.view_as(values)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient, None
