"""Where a model is trained, by torch's name for it: ``cpu``, ``cuda``, ``cuda:1``.

A device is named where a training is started and is no part of its recipe: like the number of threads it decides in
which order sums are rounded, not what is computed. So a recipe serves every machine, and a run that stopped on one
device goes on on another.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor

from viral.base.errors import UsageError


def find_device(name: str) -> torch.device:
    """The device of that name; ``UsageError`` where torch does not know it or cannot compute there."""
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).cpu()  # the driver, the build and the number all have to be right
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        gpus = [f"cuda:{number}" for number in range(torch.cuda.device_count())]
        hint = f"torch {torch.__version__} has here: {', '.join(['cpu', *gpus])}"
        raise UsageError(f"cannot compute on device {name!r} ({reason})", hint=hint) from None
    return device


@contextmanager
def seeded(device: torch.device, seed: int) -> Iterator[None]:
    """Within it the global random states begin at ``seed``; after it they are as they were before."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


def random_states(device: torch.device) -> dict[str, Tensor]:
    """The global random states that a training on ``device`` draws from, by name."""
    states = {"global": torch.get_rng_state()}
    return states | {"cuda": torch.cuda.get_rng_state(device)} if device.type == "cuda" else states


def set_random_states(states: Mapping[str, Tensor], device: torch.device) -> None:
    """Go on from ``states``; of a device that was not in use when they were taken there is nothing to go on from."""
    torch.set_rng_state(states["global"])
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)
