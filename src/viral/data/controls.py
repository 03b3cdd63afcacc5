"""Control features: what a modality would be worth if it were independent of its item.

Each is the same for every model, memory and seed of a study, so that only the training differs. Shapes: I items.
"""

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

SEED = 2511_02113


def shuffled(values: Tensor, present: Tensor) -> Tensor:
    """The same rows, each beside another item, among the items that have one: (I, F), (I,) bool -> (I, F)."""
    there = present.nonzero().squeeze(1)
    order = torch.randperm(len(there), generator=torch.Generator().manual_seed(SEED))
    result = values.clone()
    result[there] = values[there[order]]
    return result


def random(values: Tensor, present: Tensor) -> Tensor:
    """Directions drawn at random, of the same width; absent rows as they are: (I, F), (I,) bool -> (I, F)."""
    drawn = torch.randn(values.shape, generator=torch.Generator().manual_seed(SEED), dtype=values.dtype)
    return torch.where(present[:, None], F.normalize(drawn, dim=1), values)


CONTROLS: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {"shuffled": shuffled, "random": random}
