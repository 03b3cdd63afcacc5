"""What ranks for one person: a user's vector, or the items taken. Shapes: I items, D the width of a vector."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from viral.models.base import EmbeddingScorer, HistoryScorer

AnyScorer = EmbeddingScorer | HistoryScorer


def item_vectors(scorer: AnyScorer) -> Tensor:
    """The items' side of a score, (I, D); of item-item weights, the columns: what each item taken says for it."""
    return scorer.items if isinstance(scorer, EmbeddingScorer) else scorer.weights.T


@dataclass(frozen=True, slots=True, eq=False)
class Taste:
    """One person's side of a score, and what they have already."""

    scorer: AnyScorer
    person: Tensor  # (D,) a vector, or (n,) int64 the items taken where the model sums over them
    seen: Tensor  # (n,) int64

    def scores(self) -> Tensor:
        """Scores of all items, (I,), the caller's to change."""
        if isinstance(self.scorer, EmbeddingScorer):
            return torch.mv(self.scorer.items, self.person)
        return self.scorer.weights[self.person].sum(dim=0)

    def score(self, item: int) -> float:
        """The score of one item, in double precision: the sum of its parts."""
        return sum(self.split(item).values())

    def split(self, item: int) -> dict[str, float]:
        """The score of one item by the parts of the model."""
        if isinstance(self.scorer, EmbeddingScorer):
            return split_product(self.person, self.scorer.items[item], self.scorer.parts)
        return {"score": self.scorer.weights[self.person, item].double().sum().item()}


def split_product(user: Tensor, item: Tensor, parts: Mapping[str, tuple[int, int]]) -> dict[str, float]:
    """An inner product (D,), (D,) by named ranges of columns; ``score`` where there are none."""
    products = user.double() * item.double()
    spans = parts or {"score": (0, len(products))}
    return {name: products[start:stop].sum().item() for name, (start, stop) in spans.items()}
