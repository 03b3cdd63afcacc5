"""The best of many items for one user by a first look at a few columns: exact, and less memory to read.

Learnt vectors lie mostly in few directions. Turned so that the directions come in the order of what the items have in
them, x = [x' | x''] and u = [u' | u''], inner products stay as they are, and by Cauchy and Schwarz

|⟨u, x⟩ - ⟨u', x'⟩| ≤ ‖u''‖ ‖x''‖.

So ⟨u', x'⟩ bounds every score from both sides; only items whose upper bound reaches the k-th best lower one are scored
in full. Shapes: I items, D the width of a vector, H columns of the first look.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from viral.run.retrieval.order import top

FEWEST_ITEMS, NARROWEST = 20_000, 96  # below either the whole product is as quick
LEFT_OVER = 0.02  # of the items' squared length that the first look may not see
BLOCK_ROWS = 1 << 14
ROUNDING = 1e-5  # of ‖u‖ ‖x‖: more than float32 sums of hundreds of products are off


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
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
    def of(cls, items: Tensor) -> "Scan | None":
        """A scan, or None where it would not be quicker than the whole product: few items, narrow or round vectors."""
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
