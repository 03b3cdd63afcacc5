"""Inner products of vectors. Shapes: U users, I items, B users of a batch, D the width of a vector, P pairs."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from viral.graph.functions import unit_rows
from viral.models.scorers.base import Scorer

LEAST_VARIANCE = 1e-12
PAIRS = 1 << 16  # whose vectors are multiplied at once


class Moments(NamedTuple):
    """Of the users' scores over the items."""

    centre: Tensor  # (D,): the mean item vector, whose product with a user's vector is the mean score
    variances: Tensor  # (U,)


@dataclass(frozen=True, eq=False)
class EmbeddingScorer(Scorer):
    """Inner products of two tables. ``parts`` names column ranges whose products add up to the score."""

    users: Tensor  # (U, D)
    items: Tensor  # (I, D)
    parts: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    kind: ClassVar = "EmbeddingScorer"

    @property
    def num_users(self) -> int:
        return len(self.users)

    @property
    def num_items(self) -> int:
        return len(self.items)

    @property
    def vectors(self) -> "EmbeddingScorer":
        return self

    @property
    def item_vectors(self) -> Tensor:
        return self.items

    def __call__(self, users: Tensor, out: Tensor | None = None) -> Tensor:
        return torch.matmul(self.users[users], self.items.T, out=out)

    def split_pairs(self, users: Tensor, items: Tensor) -> dict[str, Tensor]:
        spans = self.parts or {"score": (0, self.users.shape[1])}
        pairs = list(zip(users.split(PAIRS), items.split(PAIRS), strict=True))
        return {
            name: torch.cat([(self.users[u, start:stop] * self.items[i, start:stop]).sum(dim=1) for u, i in pairs])
            for name, (start, stop) in spans.items()
        }

    def extend(self, vectors: Tensor) -> "EmbeddingScorer":
        return replace(self, items=torch.cat([self.items, vectors]))

    def by_cosine(self) -> "EmbeddingScorer":
        return EmbeddingScorer(unit_rows(self.users), unit_rows(self.items), self.parts)

    @cached_property
    def moments(self) -> Moments:
        """Mean and variance over the items, σ_u² = uᵀ Cov(v) u."""
        centre = self.items.mean(dim=0)
        centred = self.items - centre
        covariance = centred.T @ centred / max(1, len(centred))
        return Moments(centre, ((self.users @ covariance) * self.users).sum(dim=1))

    def interest(self, vector: Tensor, item: int | None = None) -> Tensor:
        """The score in standard deviations from the mean of the user's scores of all items, (s - μ_u) / σ_u.

        Scores compare items for one user, not users for one item: who has a long vector would want everything.
        """
        return (self.users @ (vector - self.moments.centre)) / deviations(self.moments.variances)

    def tensors(self) -> dict[str, Tensor]:
        return {"users": self.users, "items": self.items}


def deviations(variances: Tensor) -> Tensor:
    """Standard deviations, which can be divided by."""
    return variances.clamp(min=LEAST_VARIANCE).sqrt()
