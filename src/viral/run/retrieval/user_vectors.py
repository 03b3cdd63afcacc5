"""What ranks for one person: a vector, the items taken, or both. Shapes: I items, D the width of a vector."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from viral.models.base import EmbeddingScorer
from viral.models.families.item_weights import Rows, said_for
from viral.models.memory_scorer import MEMORY, AnyHistory, AnyScorer, MemoryScorer, history_of, vectors_of


def item_vectors(scorer: AnyScorer) -> Tensor | Rows:
    """The items' side of an inner product, (I, D); of item-item weights alone, the columns: what each taken says for i.

    Of sparse weights only the rows that are asked for become dense. Of a model with both it is the vectors' side.
    """
    vectors, history = vectors_of(scorer), history_of(scorer)
    if vectors is not None:
        return vectors.items
    assert history is not None
    return history.columns


@dataclass(frozen=True, slots=True, eq=False)
class Taste:
    """One person's side of a score, s(i) = ⟨x, v_i⟩ + a Σ_{j ∈ taken} W_ji, and what they have already."""

    vectors: EmbeddingScorer | None  # v, None where the model has item-item weights alone
    vector: Tensor  # x (D,); of no width where there is no v
    history: AnyHistory | None  # W, None where the model has vectors alone
    taken: Tensor  # (n,) int64
    scale: float  # a
    seen: Tensor  # (n,) int64

    @classmethod
    def of_user(cls, scorer: AnyScorer, user: int, seen: Tensor) -> "Taste":
        """Of a user whom the model knows, and who took ``seen``."""
        vectors, history = vectors_of(scorer), history_of(scorer)
        vector = torch.empty(0) if vectors is None else vectors.users[user]
        taken = seen if history is None else history.items[history.offsets[user] : history.offsets[user + 1]]
        scale = float(scorer.scales[user]) if isinstance(scorer, MemoryScorer) else 1.0
        return cls(vectors, vector, history, taken, scale, seen)

    @classmethod
    def of_items(cls, scorer: AnyScorer, vector: Tensor, taken: Tensor) -> "Taste":
        """Of somebody new who took ``taken`` (n,), and whose folded-in vector is ``vector``."""
        scale = scorer.scale_of(scorer.memory.of(taken)) if isinstance(scorer, MemoryScorer) else 1.0
        return cls(vectors_of(scorer), vector, history_of(scorer), taken, scale, taken)

    def scores(self) -> Tensor:
        """Scores of all items, (I,), the caller's to change."""
        summed = self.summed()
        if self.vectors is None:
            assert summed is not None
            return summed
        products = product(self.vectors.items, self.vector)
        return products if summed is None else products.add_(summed)

    def summed(self) -> Tensor | None:
        """What the items taken add to the scores of all items, (I,), the caller's to change; None without weights."""
        return None if self.history is None else self.history.of(self.taken).mul_(self.scale)

    def summands(self, taken: Tensor, items: Tensor) -> Tensor:
        """What having taken ``taken`` (n,) adds to the scores of ``items`` (m,): (n, m) float64."""
        if self.history is None:
            return torch.zeros(len(taken), len(items), dtype=torch.float64)
        return said_for(self.history, taken, items).double().mul_(self.scale)

    def by_vectors(self, vectors: Tensor) -> Tensor:
        """Products with vectors of items (n, D) that are not the model's own (see :func:`item_vectors`): (n,)."""
        return vectors[:, self.taken].sum(dim=1) if self.vectors is None else vectors @ self.vector

    def score(self, item: int) -> float:
        """The score of one item, in double precision: the sum of its parts."""
        return sum(self.split(item).values())

    def split(self, item: int) -> dict[str, float]:
        """The score of one item by the parts of the model."""
        return self.splits(torch.tensor([item]))[0]

    def splits(self, items: Tensor) -> list[dict[str, float]]:
        """The scores of some items (n,) int64 by the parts of the model."""
        if self.vectors is None:
            return [{"score": value} for value in self.summands(self.taken, items).sum(dim=0).tolist()]
        found = split_products(self.vector, self.vectors.items[items], self.vectors.parts)
        if self.history is None:
            return found
        sums = self.summands(self.taken, items).sum(dim=0).tolist()
        return [parts | {MEMORY: value} for parts, value in zip(found, sums, strict=True)]


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
