"""The best items by score, exactly: of equal scores the first item leads, whatever part of the order is asked for.

Of many items with wide vectors, a first look at a few columns says which have to be scored in full. Learnt vectors lie
mostly in few directions. Turned so that the directions come in the order of what the items have in them, x = [x' | x'']
and u = [u' | u''], inner products stay as they are, and by Cauchy and Schwarz

|⟨u, x⟩ - ⟨u', x'⟩| ≤ ‖u''‖ ‖x''‖.

So ⟨u', x'⟩ bounds every score from both sides; only items whose upper bound reaches the k-th best lower one are scored
in full. Shapes: I items, D the width of a vector, H columns of the first look.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from viral.run.retrieval.filters import Predicate

FEWEST_ITEMS, NARROWEST = 20_000, 96  # below either the whole product is as quick
LEFT_OVER = 0.02  # of the items' squared length that the first look may not see
BLOCK_ROWS = 1 << 14
ROUNDING = 1e-5  # of ‖u‖ ‖x‖: more than float32 sums of hundreds of products are off
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


def top_allowed(scores: Tensor, count: int, predicate: Predicate | None, ids: Sequence[str]) -> tuple[Tensor, Tensor]:
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


@dataclass(frozen=True, slots=True, eq=False)
class BoundedSearch:
    """Items turned for a first look.

    Products are torch's, the rest is numpy's: two libraries' threads, taking turns within a millisecond, would wait for
    each other.
    """

    items: Tensor  # (I, D) as they were
    turn: Tensor  # (D, D), orthonormal columns
    head: Tensor  # (H, I): the turned items' first columns, one after another in memory
    left: Tensor  # (I,): the length of what the head does not have
    lengths: Tensor  # (I,)

    @classmethod
    def of(cls, items: Tensor) -> "BoundedSearch | None":
        """None where it would not be quicker than the whole product: few items, narrow or round vectors."""
        if len(items) < FEWEST_ITEMS or items.shape[1] < NARROWEST or items.dtype != torch.float32 or items.is_cuda:
            return None
        moments = (items.T @ items).double()
        if not bool(moments.isfinite().all()):
            return None
        energy, turn = torch.linalg.eigh(moments)  # ascending
        energy, turn = energy.flip(0).clamp(min=0), turn.flip(1).float()
        seen = energy.cumsum(0) / energy.sum().clamp(min=torch.finfo(torch.float64).tiny)
        width = int((seen < 1 - LEFT_OVER).sum()) + 1
        if 2 * width > items.shape[1]:
            return None
        head = turn[:, :width].T @ items.T
        left = [torch.linalg.vector_norm(some @ turn[:, width:], dim=1) for some in items.split(BLOCK_ROWS)]
        return cls(items, turn, head, torch.cat(left), torch.linalg.vector_norm(items, dim=1))

    def best(
        self, user: Tensor, count: int, blocked: Tensor | None, seen: Tensor, added: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Indices and scores of the ``count`` best items, best first, of those that are neither ``blocked`` (I,) nor
        ``seen`` (n,): at most that many.

        ``added`` (I,) is what every item's score has beside the product. It is known exactly and moves both bounds
        alike, whatever its sign, so that the best are exact with it too.
        """
        turned, width = user @ self.turn, len(self.head)
        middle = torch.mv(self.head.T, turned[:width]).numpy()  # (I,)
        rest, length = (float(torch.linalg.vector_norm(vector)) for vector in (turned[width:], user))
        reach = self.left.numpy() * rest + self.lengths.numpy() * (ROUNDING * length)
        if added is not None:
            middle += added.numpy()
            reach += ROUNDING * np.abs(added.numpy())
        if blocked is not None:
            middle[blocked.numpy()] = -np.inf
        middle[seen.numpy()] = -np.inf
        lowest = torch.from_numpy(middle - reach).topk(min(count, len(middle))).values[-1].item()
        found = torch.from_numpy(np.flatnonzero((middle + reach >= lowest) & (middle > -np.inf)))
        scores = self.items[found] @ user
        places, values = top(scores if added is None else scores.add_(added[found]), count)
        return found[places], values
