"""Models that are trained when they are built: item-item weights, summed over a user's history.

Shapes: U users, I items, E interactions.
"""

from abc import abstractmethod
from collections.abc import Iterable

import torch
from torch import Tensor

from viral.data.inputs import ModelInputs
from viral.graph import SparseMatrix
from viral.models.base import ConfigT, Recommender
from viral.models.scorers import HistoryScorer, SparseHistoryScorer

Entries = tuple[Tensor, Tensor, Tensor]  # rows, columns and values, (n,) each


class HistoryRecommender(Recommender[ConfigT]):
    """A model that keeps what every user chose."""

    offsets: Tensor  # (U+1,) int64: user u has items[offsets[u] … offsets[u+1]]
    items: Tensor  # (E,) int64

    def __init__(self, inputs: ModelInputs, config: ConfigT) -> None:
        super().__init__(inputs, config)
        for name, tensor in zip(("offsets", "items"), inputs.train.rows(), strict=True):
            self.register_buffer(name, tensor, persistent=False)


class DenseItemItem(HistoryRecommender[ConfigT]):
    """s(u, ·) = x_u W with a dense W."""

    weights: Tensor  # (I, I)

    def __init__(self, inputs: ModelInputs, config: ConfigT) -> None:
        super().__init__(inputs, config)
        self.register_buffer("weights", self.solve(inputs), persistent=False)

    @abstractmethod
    def solve(self, inputs: ModelInputs) -> Tensor:
        """W (I, I): row i the weights of a chosen i for every item."""

    def scorer(self) -> HistoryScorer:
        return HistoryScorer(self.offsets, self.items, self.weights)


class SparseItemItem(HistoryRecommender[ConfigT]):
    """s(u, ·) = x_u W with a W of few entries."""

    def __init__(self, inputs: ModelInputs, config: ConfigT) -> None:
        super().__init__(inputs, config)
        nothing = torch.empty(0, dtype=torch.int64)
        found = [(nothing, nothing, torch.empty(0)), *self.solve(inputs)]
        rows, columns, values = (torch.cat(parts) for parts in zip(*found, strict=True))
        self.weights = SparseMatrix.of(rows, columns, values, (self.num_items, self.num_items))

    @abstractmethod
    def solve(self, inputs: ModelInputs) -> Iterable[Entries]:
        """The entries of W in parts: of a chosen item (row) for another (column)."""

    def scorer(self) -> SparseHistoryScorer:
        return SparseHistoryScorer(self.offsets, self.items, self.weights)
