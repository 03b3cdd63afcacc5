"""Maximal marginal relevance: recommendations that are not all alike (Carbonell & Goldstein, SIGIR 1998)."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from viral.run.retrieval.exact_search import Best

POOL = 5  # times k: how many of the best items the choice is among, and at least ``LEAST``
LEAST = 50


def pool_size(k: int) -> int:
    """How many of the best items :func:`diversify` should get to choose k from."""
    return max(LEAST, POOL * k)


def diversify(scores: Tensor, vectors: Tensor, k: int, diversity: float) -> list[int]:
    """Places of k of the n items, in the order of choice: scores (n,), best first, and vectors (n, D).

    The next is argmax (1 - δ) r_i - δ max_j cos(i, j) over the chosen j, r the score scaled to 0 … 1 among the n;
    δ = 0 keeps the order.
    """
    spread = (scores.max() - scores.min()).clamp(min=1e-12)
    relevance = (1 - diversity) * (scores - scores.min()) / spread
    unit = F.normalize(vectors, dim=-1)
    nearest = torch.zeros_like(scores)  # nothing is chosen yet
    open_ = torch.ones_like(scores, dtype=torch.bool)
    chosen: list[int] = []
    while len(chosen) < min(k, len(scores)):
        worth = (relevance - diversity * nearest).masked_fill(~open_, -torch.inf)
        place = int(worth.argmax())
        cosines = unit @ unit[place]
        nearest = cosines if not chosen else torch.maximum(nearest, cosines)
        open_[place] = False
        chosen.append(place)
    return chosen


def diversified(best: Best, vectors: Callable[[Tensor], Tensor], k: int, diversity: float) -> Best:
    """The order in which blocks of the best ``pool_size(k)`` items are each diversified, one block after the other.

    So the places after the first k are those that a longer list would have. ``vectors`` gives those of items (n,).
    """
    size = pool_size(k)

    def first(count: int) -> tuple[Tensor, Tensor]:
        found, scores = best(-(-count // size) * size)
        places: list[int] = []
        for start in range(0, len(found), size):
            block = slice(start, start + size)
            chosen = diversify(scores[block], vectors(found[block]), count - start, diversity)
            places += [start + place for place in chosen]
        return found[places], scores[places]

    return first
