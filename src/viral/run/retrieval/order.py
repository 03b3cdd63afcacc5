"""One order of the best items, the same whatever part of it is asked for: of equal scores the first item leads."""

from collections.abc import Callable, Sequence
from itertools import islice

import torch
from torch import Tensor

from viral.run.retrieval.filters import Predicate

Best = Callable[[int], tuple[Tensor, Tensor]]  # the first so many of an order, fewer at its end: indices and scores


def top(scores: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Indices and values of the ``count`` largest scores above -∞, largest first, equal ones by index."""
    values, indices = scores.topk(min(count + 1, len(scores)))  # one more tells whether a tie is cut in two
    if bool((values[1:] == values[:-1]).any()):
        return _untied(scores, values[:count], indices[:count])
    there = values[:count] > -torch.inf
    return indices[:count][there], values[:count][there]


def _untied(scores: Tensor, values: Tensor, indices: Tensor) -> tuple[Tensor, Tensor]:
    """The largest values with the first of the items that share the least of them, equal ones by index."""
    least, count = values[-1], len(values)
    above = values > least
    tied = indices[:0]
    if least > -torch.inf:
        tied = (scores == least).nonzero().squeeze(1)[: count - int(above.sum())]
    indices = torch.cat([indices[above].sort().values, tied])
    order = scores[indices].argsort(descending=True, stable=True)
    return indices[order], scores[indices[order]]


def asked_of(scores: Tensor, count: int, predicate: Predicate | None, ids: Sequence[str]) -> tuple[Tensor, Tensor]:
    """As :func:`top`, of items for which ``predicate`` holds, which is asked of the best first, while needed."""
    if predicate is None:
        return top(scores, count)
    window, asked = 4 * count, 0
    kept: list[int] = []
    while True:
        indices, values = top(scores, window)
        places = (place for place in range(asked, len(indices)) if predicate(ids[int(indices[place])]))
        kept += islice(places, count - len(kept))
        if len(kept) == count or len(indices) < window:
            return indices[kept], values[kept]
        window, asked = 4 * window, window
