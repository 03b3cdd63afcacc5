"""What this machine can do, measured in the same process as what is held against it."""

import torch

from bench.timing import medians

COPIED, SIDE = 1 << 24, 1536  # numbers copied (64 MB, beyond the caches); side of the square matrices


def limits() -> dict[str, float]:
    """Bytes a second of a copy, read and written both counted, and float32 operations a second of a matrix product."""
    source = torch.ones(COPIED)
    target = torch.empty_like(source)
    left, right, product = torch.ones(SIDE, SIDE), torch.ones(SIDE, SIDE), torch.empty(SIDE, SIDE)
    seconds = medians(
        {"copy": lambda: target.copy_(source), "product": lambda: torch.mm(left, right, out=product)},
        repeats=7,
        warmup=1,
    )
    return {"bytes_per_second": 8 * COPIED / seconds["copy"], "flops": 2 * SIDE**3 / seconds["product"]}
