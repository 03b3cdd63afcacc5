"""What every scorer offers, whatever it ranks by, and one user's side of a score.

Shapes: U users, I items, B users of a batch, D the width of a vector, P pairs, n items of a history or new items.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor

from viral.models.scorers.sparse_table import SparseTable

MEMORY = "memory"  # the part of a score that item-item weights add to an inner product


class Vectors(Protocol):
    """The side of a score that is an inner product, ⟨u, v_i⟩."""

    @property
    def users(self) -> Tensor: ...  # (U, D)
    @property
    def items(self) -> Tensor: ...  # (I, D)
    @property
    def parts(self) -> Mapping[str, tuple[int, int]]: ...  # column ranges whose products add up to it


class ItemWeights(Protocol):
    """The side of a score that is a sum over a history N_u, Σ_{j ∈ N_u} W_ji."""

    @property
    def item_vectors(self) -> Tensor | SparseTable:
        """Row i has the weights for item i: (I, I)."""
        ...

    def history(self, user: int) -> Tensor:
        """N_u: (n,)."""
        ...

    def sums(self, history: Tensor) -> Tensor:
        """The sums for all items by a history (n,): (I,), the caller's to change."""
        ...

    def between(self, history: Tensor, items: Tensor) -> Tensor:
        """The weights of a history (n,) for ``items`` (m,): (n, m)."""
        ...


class Scorer(ABC):
    """What ranks: all that is left of a model once it is trained.

    A score is an inner product, a sum over the user's history, or both: s(u, i) = ⟨u, v_i⟩ + a_u Σ_{j ∈ N_u} W_ji.
    """

    kind: ClassVar[str]  # as a bundle's manifest has it (:data:`viral.models.scorers.KINDS`)

    @property
    @abstractmethod
    def num_users(self) -> int: ...

    @property
    @abstractmethod
    def num_items(self) -> int: ...

    @abstractmethod
    def __call__(self, users: Tensor, out: Tensor | None = None) -> Tensor:
        """Scores of every item: (B,) -> (B, I), written into ``out`` where given."""

    def split(self, user: int, item: int) -> dict[str, float]:
        """The score of one pair as the sum of its named parts; ``score`` where there are none."""
        return self.profile(user, torch.zeros(0, dtype=torch.int64)).split(item)

    def split_pairs(self, users: Tensor, items: Tensor) -> dict[str, Tensor]:
        """What every part adds to the scores of pairs, (P,) and (P,) -> (P,) by name; empty without vectors."""
        return {}

    @property
    def vectors(self) -> Vectors | None:
        """The side that is an inner product; None where item-item weights are all."""
        return None

    @property
    def item_weights(self) -> ItemWeights | None:
        """The side that is a sum over a history; None where vectors are all."""
        return None

    @property
    @abstractmethod
    def item_vectors(self) -> Tensor | SparseTable:
        """The items' side of an inner product, (I, D); of item-item weights alone row i has the weights for item i."""

    @abstractmethod
    def extend(self, vectors: Tensor) -> "Scorer":
        """With new items behind the known ones, by their rows (n, D) of :attr:`item_vectors`."""

    @abstractmethod
    def interest(self, vector: Tensor, item: int | None = None) -> Tensor:
        """How much each user is drawn to an item with this vector (D,), to be compared among users: (U,).

        ``item`` is its index, None of a new one.
        """

    def profile(self, user: int, seen: Tensor) -> "UserProfile":
        """A known user's side of a score; ``seen`` (n,) are the items of their training interactions."""
        vectors, weights = self.vectors, self.item_weights
        vector = torch.empty(0) if vectors is None else vectors.users[user]
        history = seen if weights is None else weights.history(user)
        return UserProfile(vectors, vector, weights, history, self.scale(user), seen)

    def fold_in(self, history: Tensor, vector: Tensor) -> "UserProfile":
        """The side of a user who is not known, by a history (n,) and the vector (D,) that a rule makes of it.

        The rule is :class:`viral.run.retrieval.fold_in.FoldIn`; the vector is of no width where there are none.
        """
        return UserProfile(self.vectors, vector, self.item_weights, history, self.scale_of(history), history)

    def scale(self, user: int) -> float:
        """a_u of a known user."""
        return 1.0

    def scale_of(self, history: Tensor) -> float:
        """The scale a of a history (n,)."""
        return 1.0

    def history_scores(self, users: Tensor) -> Tensor:
        """What their histories add to the users' scores: (B,) -> (B, I)."""
        return torch.zeros(len(users), self.num_items)

    def history_means(self) -> Tensor:
        """The mean over all items of what each user's history adds to the scores: (U,)."""
        return torch.zeros(self.num_users)

    def by_cosine(self) -> "Scorer":
        """The same with vectors at unit length; a scorer that has more than vectors stays as it is."""
        return self

    @abstractmethod
    def tensors(self) -> dict[str, Tensor]:
        """All tensors by name, as a bundle keeps them."""

    def manifest(self) -> dict[str, Any]:
        """What a bundle keeps beside the tensors: the kind, the spans of the parts, and numbers."""
        parts = {} if self.vectors is None else {name: list(span) for name, span in self.vectors.parts.items()}
        return {"scorer": self.kind, "parts": parts}


@dataclass(frozen=True, slots=True, eq=False)
class UserProfile:
    """One user's side of a score, s(i) = ⟨x, v_i⟩ + a Σ_{j ∈ history} W_ji, and the items that they have already."""

    vectors: Vectors | None  # v, None where the model has item-item weights alone
    vector: Tensor  # x (D,); of no width where there is no v
    weights: ItemWeights | None  # W, None where the model has vectors alone
    history: Tensor  # (n,) int64
    scale: float  # a
    seen: Tensor  # (n,) int64

    def scores(self) -> Tensor:
        """Scores of all items, (I,), the caller's to change."""
        summed = self.summed()
        if self.vectors is None:
            assert summed is not None
            return summed
        products = product(self.vectors.items, self.vector)
        return products if summed is None else products.add_(summed)

    def summed(self) -> Tensor | None:
        """What the history adds to the scores of all items, (I,), the caller's to change; None without weights."""
        return None if self.weights is None else self.weights.sums(self.history).mul_(self.scale)

    def summands(self, history: Tensor, items: Tensor) -> Tensor:
        """What each of ``history`` (n,) adds to the scores of ``items`` (m,): (n, m) float64."""
        if self.weights is None:
            return torch.zeros(len(history), len(items), dtype=torch.float64)
        return self.weights.between(history, items).double().mul_(self.scale)

    def by_vectors(self, vectors: Tensor) -> Tensor:
        """Products with vectors of items (n, D) that are not the model's own (``Scorer.item_vectors``): (n,)."""
        return vectors[:, self.history].sum(dim=1) if self.vectors is None else vectors @ self.vector

    def split(self, item: int) -> dict[str, float]:
        """The score of one item by the parts of the model."""
        return self.splits(torch.tensor([item]))[0]

    def splits(self, items: Tensor) -> list[dict[str, float]]:
        """The scores of some items (n,) int64 by the parts of the model."""
        if self.vectors is None:
            return [{"score": value} for value in self.summands(self.history, items).sum(dim=0).tolist()]
        found = split_products(self.vector, self.vectors.items[items], self.vectors.parts)
        if self.weights is None:
            return found
        sums = self.summands(self.history, items).sum(dim=0).tolist()
        return [parts | {MEMORY: value} for parts, value in zip(found, sums, strict=True)]


def product(table: Tensor | SparseTable, vector: Tensor) -> Tensor:
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
