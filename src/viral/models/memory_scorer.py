"""Memory: item-item weights in closed form beside a model's vectors, as one more part of the score.

Vectors of a few dozen columns cannot hold that two single items are bought together; a matrix of items by items can.
Whatever ranks has vectors, item-item weights, or both: :func:`vectors_of` and :func:`history_of` give either side.
Shapes: U users, I items, B users of a batch, n items of a history, P pairs of a user and an item.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from viral.graph.blocks import row_blocks
from viral.models.base import EmbeddingScorer, HistoryScorer
from viral.models.families.item_weights import SparseHistoryScorer

MEMORY = "memory"  # the name of the part
LEAST_SPREAD = 1e-12
AnyHistory = HistoryScorer | SparseHistoryScorer


@dataclass(frozen=True, slots=True, eq=False)
class MemoryScorer:
    """s(u, i) = ⟨u, v_i⟩ + a_u Σ_{j ∈ N_u} W_ji with a_u = w / σ_u.

    σ_u is the standard deviation of the user's sums over all items, so that w counts the same for long histories and
    short ones. A user without a history, or whose sums are all equal, has a_u = 0.
    """

    vectors: EmbeddingScorer
    memory: AnyHistory
    scales: Tensor  # (U,): a_u
    weight: float  # w

    @property
    def num_users(self) -> int:
        return self.vectors.num_users

    @property
    def num_items(self) -> int:
        return self.vectors.num_items

    def __call__(self, users: Tensor, out: Tensor | None = None) -> Tensor:
        return self.remembered(users, out).addmm_(self.vectors.users[users], self.vectors.items.T)

    def remembered(self, users: Tensor, out: Tensor | None = None) -> Tensor:
        """The memory's part of the scores: (B,) -> (B, I)."""
        return self.memory(users, out).mul_(self.scales[users, None])

    def split(self, user: int, item: int) -> dict[str, float]:
        """The score of one pair as the sum of its named parts, ``memory`` the last."""
        remembered = self.memory.split(user, item)["score"] * float(self.scales[user])
        return self.vectors.split(user, item) | {MEMORY: remembered}

    def scale_of(self, sums: Tensor) -> float:
        """The scale a of somebody whose sums over a history are ``sums`` (I,)."""
        return float(scales_of(sums[None], self.weight)[0])

    def means(self) -> Tensor:
        """The mean of each user's memory over all items, a_u Σ_{j ∈ N_u} mean_i W_ji: (U,)."""
        said = mean_said(self.memory)[:, None]
        taken, offsets = self.memory.items, self.memory.offsets
        sums = F.embedding_bag(taken, said, offsets, mode="sum", include_last_offset=True)
        return sums.squeeze(1).mul_(self.scales)


AnyScorer = EmbeddingScorer | HistoryScorer | SparseHistoryScorer | MemoryScorer


def scales_of(sums: Tensor, weight: float) -> Tensor:
    """The scales w / σ of the rows, 0 where σ is 0: (B, I) -> (B,)."""
    spread = sums.std(dim=1, correction=0)
    return torch.where(spread > LEAST_SPREAD, weight / spread.clamp(min=LEAST_SPREAD), 0.0)


def vectors_of(scorer: AnyScorer) -> EmbeddingScorer | None:
    """The side of a score that is an inner product; None where a model has item-item weights alone."""
    if isinstance(scorer, MemoryScorer):
        return scorer.vectors
    return scorer if isinstance(scorer, EmbeddingScorer) else None


def history_of(scorer: AnyScorer) -> AnyHistory | None:
    """The side of a score that is a sum over a history; None where a model has vectors alone."""
    if isinstance(scorer, MemoryScorer):
        return scorer.memory
    return None if isinstance(scorer, EmbeddingScorer) else scorer


def mean_said(history: AnyHistory) -> Tensor:
    """What having taken each item says for an item in the mean, mean_i W_ji: (I,)."""
    sums: Tensor = history.weights @ torch.ones(history.num_items, 1, device=history.items.device)
    return sums.squeeze(1) / max(1, history.num_items)


def parts_of_pairs(scorer: AnyScorer, users: Tensor, items: Tensor) -> dict[str, Tensor]:
    """What every part adds to the scores of pairs, (P,) and (P,) -> (P,) by name; ``score`` where vectors have none.

    Empty of a model of item-item weights alone.
    """
    vectors = vectors_of(scorer)
    if vectors is None:
        return {}
    spans = vectors.parts or {"score": (0, vectors.users.shape[1])}
    found = {
        name: torch.cat([
            (vectors.users[u, start:stop] * vectors.items[i, start:stop]).sum(dim=1)
            for u, i in zip(users.split(1 << 16), items.split(1 << 16), strict=True)
        ])
        for name, (start, stop) in spans.items()
    }  # fmt: skip
    return found | {MEMORY: _remembered_of(scorer, users, items)} if isinstance(scorer, MemoryScorer) else found


def _remembered_of(scorer: MemoryScorer, users: Tensor, items: Tensor) -> Tensor:
    """The memory's part of the scores of pairs: (P,), (P,) -> (P,)."""
    found = scorer.scales.new_empty(len(users))
    some, places = users.unique(return_inverse=True)
    order = places.argsort()
    ends = torch.bincount(places, minlength=len(some)).cumsum(0).tolist()
    for rows in row_blocks(len(some), scorer.num_items):
        block = some[rows]
        last = rows.start + len(block)
        pairs = order[ends[rows.start - 1] if rows.start else 0 : ends[last - 1]]
        found[pairs] = scorer.remembered(block)[places[pairs] - rows.start, items[pairs]]
    return found
