"""Memory: item-item weights in closed form beside a model's vectors, as one more part of the score.

Vectors of a few dozen columns cannot hold that two single items are bought together; a matrix of items by items can.
Shapes: U users, I items, B users of a batch, P pairs of a user and an item.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import torch
from torch import Tensor

from viral.graph.blocks import row_blocks
from viral.models.scorers.base import MEMORY, Scorer
from viral.models.scorers.embeddings import EmbeddingScorer, deviations
from viral.models.scorers.item_weights import ItemWeightScorer

LEAST_SPREAD = 1e-12


@dataclass(frozen=True, eq=False)
class MemoryScorer(Scorer):
    """s(u, i) = ⟨u, v_i⟩ + a_u Σ_{j ∈ N_u} W_ji with a_u = w / σ_u.

    σ_u is the standard deviation of the user's sums over all items, so that w counts the same for long histories and
    short ones. A user without a history, or whose sums are all equal, has a_u = 0.
    """

    embeddings: EmbeddingScorer
    memory: ItemWeightScorer
    scales: Tensor  # (U,): a_u
    weight: float  # w
    kind: ClassVar = "MemoryScorer"

    @property
    def num_users(self) -> int:
        return self.embeddings.num_users

    @property
    def num_items(self) -> int:
        return self.embeddings.num_items

    @property
    def vectors(self) -> EmbeddingScorer:
        return self.embeddings

    @property
    def item_weights(self) -> ItemWeightScorer:
        return self.memory

    @property
    def item_vectors(self) -> Tensor:
        return self.embeddings.items

    def __call__(self, users: Tensor, out: Tensor | None = None) -> Tensor:
        return self.history_scores(users, out).addmm_(self.embeddings.users[users], self.embeddings.items.T)

    def history_scores(self, users: Tensor, out: Tensor | None = None) -> Tensor:
        return self.memory(users, out).mul_(self.scales[users, None])

    def history_means(self) -> Tensor:
        return self.memory.history_means().mul_(self.scales)

    def split_pairs(self, users: Tensor, items: Tensor) -> dict[str, Tensor]:
        remembered = self.scales.new_empty(len(users))
        some, places = users.unique(return_inverse=True)
        order = places.argsort()
        ends = torch.bincount(places, minlength=len(some)).cumsum(0).tolist()
        for rows in row_blocks(len(some), self.num_items):
            block = some[rows]
            last = rows.start + len(block)
            pairs = order[ends[rows.start - 1] if rows.start else 0 : ends[last - 1]]
            remembered[pairs] = self.history_scores(block)[places[pairs] - rows.start, items[pairs]]
        return self.embeddings.split_pairs(users, items) | {MEMORY: remembered}

    def scale(self, user: int) -> float:
        return float(self.scales[user])

    def scale_of(self, history: Tensor) -> float:
        return float(scales_of(self.memory.sums(history)[None], self.weight)[0])

    def extend(self, vectors: Tensor) -> "MemoryScorer":
        """A new item has no column in the memory and counts with the mean over the known ones, W_j,new = mean_i W_ji.

        Were it 0, the item would stand below the known ones for a user whose sums are positive in the mean and above
        them where they are negative. So the order among new items is that of the vectors' side; a_u stays as it is.
        """
        means = self.memory.mean_weights().expand(len(vectors), -1)
        return replace(self, embeddings=self.embeddings.extend(vectors), memory=self.memory.extend(means))

    @cached_property
    def _levels(self) -> tuple[Tensor, Tensor]:
        """The mean of the memory's part, and the standard deviation σ_u of the whole score, over the items: (U,) each.

        σ_u² = uᵀ Cov(v) u + 2 a_u ⟨u, Σ_{j ∈ N_u} c_j⟩ + w² with c = W (v - mean v) / I; the last is the variance of
        the memory's part by the definition of a_u.
        """
        centre, variances = self.embeddings.moments
        centred = self.embeddings.items - centre
        shared = self.memory.over_histories(self.memory.times(centred) / max(1, len(centred)))  # (U, D)
        variances = variances + (
            2 * self.scales * (self.embeddings.users * shared).sum(dim=1) + (self.scales != 0) * self.weight**2
        )
        return self.history_means(), deviations(variances)

    def interest(self, vector: Tensor, item: int | None = None) -> Tensor:
        """As of the vectors alone; the memory of a new item is at its mean and drops out."""
        means, deviation = self._levels
        above = self.embeddings.users @ (vector - self.embeddings.moments.centre)
        if item is not None:
            column = self.memory.item_vectors[item][:, None]
            above += self.memory.over_histories(column).squeeze(1) * self.scales - means
        return above / deviation

    def tensors(self) -> dict[str, Tensor]:
        sides = {"vectors/": self.embeddings.tensors(), "memory/": self.memory.tensors()}
        both = {side + name: tensor for side, tensors in sides.items() for name, tensor in tensors.items()}
        return both | {"scales": self.scales}

    def manifest(self) -> dict[str, Any]:
        return super().manifest() | {"weight": self.weight}


def scales_of(sums: Tensor, weight: float) -> Tensor:
    """The scales w / σ of the rows, 0 where σ is 0: (B, I) -> (B,)."""
    spread = sums.std(dim=1, correction=0)
    return torch.where(spread > LEAST_SPREAD, weight / spread.clamp(min=LEAST_SPREAD), 0.0)
