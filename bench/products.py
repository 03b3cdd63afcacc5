"""What a training step multiplies, and how long that alone takes at the speed of this machine's square product.

It bounds float32 code that multiplies the same; an algorithm with fewer products would have another bound.

Counted are the dense products of forward and backward pass as they are called (2·m·k·n operations each). Products with
graphs, gathers, sums and powers are not, nor sampling, optimiser and validation: an epoch takes longer than this.
"""

from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from bench.limits import limits


def operations(model: Any, batch: Any) -> int:
    """Floating-point operations in the dense products of one step, forward and backward."""
    in_place = {torch.ops.aten.addmm_: _of_shapes}  # which the counter does not know by itself
    with FlopCounterMode(display=False, custom_mapping=in_place) as counter:
        torch.stack(list(model.loss(batch).values())).sum().backward()
    return int(counter.get_total_flops())


def _of_shapes(_: Any, left: tuple[int, int], right: tuple[int, int], **__: Any) -> int:
    return 2 * left[0] * left[1] * right[1]


def bound(model: Any, batch: Any, steps: int) -> dict[str, float]:
    """Operations of a step, this machine's rate in a square product, and the seconds of an epoch of so many steps."""
    counted, rate = operations(model, batch), limits()["flops"]
    return {"operations": counted, "flops": rate, "seconds": steps * counted / rate}
