"""What ranks for one person: a user's vector, or the items taken. Shapes: I items, D the width of a vector."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from viral.models.base import EmbeddingScorer
from viral.models.item_weights import AnyScorer, Rows, SparseHistoryScorer, said_for


def item_vectors(scorer: AnyScorer) -> Tensor | Rows:
    """The items' side of a score, (I, D); of item-item weights, the columns: what each item taken says for it.

    Of sparse weights only the rows that are asked for become dense.
    """
    if isinstance(scorer, SparseHistoryScorer):
        return scorer.columns
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
            return product(self.scorer.items, self.person)
        if isinstance(self.scorer, SparseHistoryScorer):
            return self.scorer.of(self.person)
        return self.scorer.weights[self.person].sum(dim=0)

    def score(self, item: int) -> float:
        """The score of one item, in double precision: the sum of its parts."""
        return sum(self.split(item).values())

    def split(self, item: int) -> dict[str, float]:
        """The score of one item by the parts of the model."""
        return self.splits(torch.tensor([item]))[0]

    def splits(self, items: Tensor) -> list[dict[str, float]]:
        """The scores of some items (n,) int64 by the parts of the model."""
        if isinstance(self.scorer, EmbeddingScorer):
            return split_products(self.person, self.scorer.items[items], self.scorer.parts)
        sums = said_for(self.scorer, self.person, items).double().sum(dim=0)
        return [{"score": value} for value in sums.tolist()]


def product(table: Tensor | Rows, vector: Tensor) -> Tensor:
    """(n, D), (D,) -> (n,). On a processor numpy's takes half the time of torch's."""
    if not isinstance(table, Tensor) or table.device.type != "cpu":
        return table @ vector
    return torch.from_numpy(table.numpy() @ vector.numpy())


def split_products(user: Tensor, items: Tensor, parts: Mapping[str, tuple[int, int]]) -> list[dict[str, float]]:
    """Inner products (D,), (n, D) by named ranges of columns; ``score`` where there are none."""
    products = user.double() * items.double()  # (n, D)
    spans = parts or {"score": (0, products.shape[1])}
    columns = [products[:, start:stop].sum(dim=1).tolist() for start, stop in spans.values()]
    return [dict(zip(spans, values, strict=True)) for values in zip(*columns, strict=True)]
