"""ItemKNN: an item is recommended for its likeness to the history.

Sarwar et al., "Item-based Collaborative Filtering Recommendation Algorithms", WWW 2001; cosine with shrinkage as in
Ferrari Dacrema et al., "Are We Really Making Much Progress?", RecSys 2019. Shapes: I items.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch

from viral.base.recipe import check_least
from viral.data.inputs import ModelInputs
from viral.models.families.closed_form import gram_rows, strongest
from viral.models.families.item_item import Entries, SparseItemItem


@dataclass(frozen=True, kw_only=True)
class ItemKNNConfig:
    """``shrinkage`` damps the likeness of items that few users share."""

    num_neighbors: int = 100
    shrinkage: float = 10.0

    def __post_init__(self) -> None:
        check_least(self, num_neighbors=1, shrinkage=0)


class ItemKNN(SparseItemItem[ItemKNNConfig]):
    """s(u, i) = Σ_{j ∈ N_u} sim(i, j), kept for the ``num_neighbors`` most similar j of every i."""

    Config = ItemKNNConfig
    SPACE: ClassVar = {"num_neighbors": (10, 25, 50, 100, 200, 400), "shrinkage": (0.0, 1.0, 10.0, 50.0, 100.0)}

    def solve(self, inputs: ModelInputs) -> Iterator[Entries]:
        norms = torch.bincount(self.items, minlength=self.num_items).float().sqrt()
        norms.clamp_(min=1)  # a cold item is like nothing, also without shrinkage
        for rows, counts in gram_rows(inputs.train):
            similarity = torch.from_numpy(counts.toarray())  # (b, I), users who chose both as yet
            similarity /= norms[rows, None] * norms + self.config.shrinkage
            items, near, values = strongest(similarity, rows, self.config.num_neighbors)
            yield near, items, values
