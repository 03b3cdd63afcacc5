"""Item-item weights, summed over a history: as a dense table (I, I), or a sparse one with few weights an item.

Shapes: U users, I items, E interactions, B users of a batch, n items of a history or new items.
"""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from viral.graph import SparseMatrix
from viral.models.scorers.base import Scorer
from viral.models.scorers.sparse_table import SparseTable

BLOCK_ENTRIES = 1 << 20  # weights picked out at once


@dataclass(frozen=True, eq=False)
class ItemWeightScorer(Scorer):
    """Sum of item-item weights over a user's history: x_u W (ItemKNN, EASE). The scores have no parts."""

    offsets: Tensor  # (U+1,) int64: the history of user u is items[offsets[u] … offsets[u+1]]
    items: Tensor  # (E,) int64
    kind: ClassVar = "HistoryScorer"

    @abstractmethod
    def sums(self, history: Tensor) -> Tensor: ...

    @abstractmethod
    def between(self, history: Tensor, items: Tensor) -> Tensor: ...

    @abstractmethod
    def extend(self, vectors: Tensor) -> "ItemWeightScorer": ...

    @abstractmethod
    def times(self, table: Tensor) -> Tensor:
        """The product of the weights with a table: (I, C) -> (I, C)."""

    @property
    def num_users(self) -> int:
        return len(self.offsets) - 1

    @property
    def item_weights(self) -> "ItemWeightScorer":
        return self

    def history(self, user: int) -> Tensor:
        return self.items[self.offsets[user] : self.offsets[user + 1]]

    def histories(self, users: Tensor) -> tuple[Tensor, Tensor]:
        """The histories of some users (B,), one after another, and their lengths: (n,), (B,)."""
        starts, lengths = self.offsets[users], self.offsets[users + 1] - self.offsets[users]
        shifts = (starts - (lengths.cumsum(0) - lengths)).repeat_interleave(lengths)
        return self.items[torch.arange(len(shifts), device=shifts.device) + shifts], lengths

    def over_histories(self, table: Tensor, mode: str = "sum") -> Tensor:
        """Rows of a table (I, C), summed or averaged over each user's history: (U, C)."""
        return F.embedding_bag(self.items, table.contiguous(), self.offsets, mode=mode, include_last_offset=True)

    def mean_weights(self) -> Tensor:
        """The mean of each item's weights for all items, mean_i W_ji: (I,)."""
        sums = self.times(torch.ones(self.num_items, 1, device=self.items.device))
        return sums.squeeze(1) / max(1, self.num_items)

    def history_scores(self, users: Tensor) -> Tensor:
        return self(users)

    def history_means(self) -> Tensor:
        return self.over_histories(self.mean_weights()[:, None]).squeeze(1)

    def interest(self, vector: Tensor, item: int | None = None) -> Tensor:
        """The mean weight over the history: a sum would be largest for the longest histories."""
        return self.over_histories(vector[:, None], mode="mean").squeeze(1)

    def tensors(self) -> dict[str, Tensor]:
        return {"offsets": self.offsets, "items": self.items}


@dataclass(frozen=True, eq=False)
class HistoryScorer(ItemWeightScorer):
    """Dense weights."""

    weights: Tensor  # (I, I) float32: weights[i, j] is what i in a history adds to the score of j

    @property
    def num_items(self) -> int:
        return len(self.weights)

    @property
    def item_vectors(self) -> Tensor:
        return self.weights.T

    def __call__(self, users: Tensor, out: Tensor | None = None) -> Tensor:
        items, lengths = self.histories(users)
        bags = F.pad(lengths.cumsum(0), (1, 0)).int()
        scores = F.embedding_bag(items.int(), self.weights, bags, mode="sum", include_last_offset=True)
        return scores if out is None else out.copy_(scores)

    def sums(self, history: Tensor) -> Tensor:
        return self.weights[history].sum(dim=0)

    def between(self, history: Tensor, items: Tensor) -> Tensor:
        return self.weights[history[:, None], items]

    def times(self, table: Tensor) -> Tensor:
        return self.weights @ table

    def extend(self, vectors: Tensor) -> "HistoryScorer":
        rows = torch.cat([self.weights, vectors.T.to(self.weights)], dim=1)  # (I, I + n)
        nobody = rows.new_zeros(len(vectors), rows.shape[1])  # a new item is in no history, and adds nothing yet
        return HistoryScorer(self.offsets, self.items, torch.cat([rows, nobody]))

    def tensors(self) -> dict[str, Tensor]:
        return super().tensors() | {"weights": self.weights}


@dataclass(frozen=True, eq=False)
class SparseHistoryScorer(ItemWeightScorer):
    """Sparse weights, of which no dense table is ever made."""

    weights: SparseMatrix  # (I, I): row i is what i in a history adds to the scores

    @property
    def num_items(self) -> int:
        return self.weights.shape[0]

    @property
    def item_vectors(self) -> SparseTable:
        return SparseTable(self.weights.transpose)

    def __call__(self, users: Tensor, out: Tensor | None = None) -> Tensor:
        items, lengths = self.histories(users)
        owners = torch.arange(len(users), device=lengths.device).repeat_interleave(lengths)
        scores = self._sums(items, owners, len(users))
        return scores if out is None else out.copy_(scores)

    def sums(self, history: Tensor) -> Tensor:
        return self._sums(history, torch.zeros_like(history), 1)[0]

    def between(self, history: Tensor, items: Tensor) -> Tensor:
        wanted, places = items.unique(return_inverse=True)
        owners, columns, values = self.weights.rows(history).entries()
        near = torch.searchsorted(wanted, columns).clamp_(max=max(0, len(wanted) - 1))
        found = (wanted[near] == columns).nonzero().squeeze(1) if len(wanted) else near[:0]
        weights = values.new_zeros(len(history), len(wanted))
        weights.index_put_((owners[found], near[found]), values[found], accumulate=True)
        return weights[:, places]

    def times(self, table: Tensor) -> Tensor:
        return self.weights @ table

    def extend(self, vectors: Tensor) -> "SparseHistoryScorer":
        rows, columns, values = self.weights.entries()
        new, old = vectors.nonzero(as_tuple=True)
        size = self.num_items + len(vectors)  # a new item is in no history, and adds nothing yet
        rows, columns = torch.cat([rows, old]), torch.cat([columns, new + self.num_items])
        weights = SparseMatrix.of(rows, columns, torch.cat([values, vectors[new, old].to(values)]), (size, size))
        return SparseHistoryScorer(self.offsets, self.items, weights)

    def tensors(self) -> dict[str, Tensor]:
        weights = self.weights
        return super().tensors() | {"rows": weights.offsets, "columns": weights.columns, "values": weights.values}

    def _sums(self, histories: Tensor, owners: Tensor, count: int) -> Tensor:
        """Rows of weights of the items of histories (n,), summed by whose they are (n,): (count, I)."""
        scores = self.weights.values.new_zeros(count * self.num_items)
        ends = self.weights.offsets.diff()[histories].cumsum(0)  # of what each brings
        blocks = int(ends[-1]) // BLOCK_ENTRIES + 1 if len(ends) else 1
        marks = BLOCK_ENTRIES * torch.arange(1, blocks, device=ends.device)
        cuts = torch.searchsorted(ends, marks).cpu().tolist()
        for some, whose in zip(histories.tensor_split(cuts), owners.tensor_split(cuts), strict=True):
            rows, columns, values = self.weights.rows(some).entries()
            scores.index_add_(0, whose[rows] * self.num_items + columns, values)
        return scores.view(count, self.num_items)
