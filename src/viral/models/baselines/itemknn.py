"""ItemKNN: an item is recommended for its likeness to what the user has taken.

Sarwar et al., "Item-based Collaborative Filtering Recommendation Algorithms", WWW 2001; cosine with shrinkage as in
Ferrari Dacrema et al., "Are We Really Making Much Progress?", RecSys 2019. Shapes: I items.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor

from viral.base.recipe import check_least
from viral.data.inputs import ModelInputs
from viral.graph import SparseMatrix
from viral.models.base import Recommender
from viral.models.families.gram import gram_rows, strongest
from viral.models.scorers import SparseHistoryScorer

if TYPE_CHECKING:
    import scipy.sparse as sp


@dataclass(frozen=True, kw_only=True)
class ItemKNNConfig:
    """``shrinkage`` damps the likeness of items that few users share."""

    num_neighbors: int = 100
    shrinkage: float = 10.0

    def __post_init__(self) -> None:
        check_least(self, num_neighbors=1, shrinkage=0)


class ItemKNN(Recommender[ItemKNNConfig]):
    """s(u, i) = Σ_{j ∈ N_u} sim(i, j), kept for the ``num_neighbors`` most similar j of every i."""

    Config = ItemKNNConfig
    SPACE: ClassVar = {"num_neighbors": (10, 25, 50, 100, 200, 400), "shrinkage": (0.0, 1.0, 10.0, 50.0, 100.0)}
    offsets: Tensor  # (U+1,)
    items: Tensor  # (E,)

    def __init__(self, inputs: ModelInputs, config: ItemKNNConfig) -> None:
        super().__init__(inputs, config)
        for name, tensor in zip(("offsets", "items"), inputs.train.rows(), strict=True):
            self.register_buffer(name, tensor, persistent=False)
        norms = torch.bincount(self.items, minlength=self.num_items).float().sqrt()
        norms.clamp_(min=1)  # a cold item is like nothing, also without shrinkage
        found = [neighbors(counts, rows, norms, config) for rows, counts in gram_rows(inputs.train)]
        items, near, values = (torch.cat(parts) for parts in zip(*found, strict=True))
        self.weights = SparseMatrix.of(near, items, values, (self.num_items, self.num_items))

    def scorer(self) -> SparseHistoryScorer:
        return SparseHistoryScorer(self.offsets, self.items, self.weights)


def neighbors(
    counts: "sp.csr_array", rows: slice, norms: Tensor, config: ItemKNNConfig
) -> tuple[Tensor, Tensor, Tensor]:
    """Pairs of items and similar items with their similarity, (n,) each, of a block of rows: users who took both."""
    similarity = torch.from_numpy(counts.toarray())  # (b, I), users who took both as yet
    similarity /= norms[rows, None] * norms + config.shrinkage  # cosine with shrinkage
    return strongest(similarity, rows, config.num_neighbors)
