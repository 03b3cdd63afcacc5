"""RP3β: an item is recommended where walks from what the user took end, the popular ones damped.

Paudel, Christoffel, Newell, Bernstein, "Updatable, Accurate, Diverse, and Scalable Recommendations for Interactive
Applications", TiiS 7(1), 2017, https://doi.org/10.1145/2955101. The neighbours of each item are cut off as in Ferrari
Dacrema et al., "Are We Really Making Much Progress?", RecSys 2019. Shapes: U users, I items.
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
class RP3betaConfig:
    """``alpha`` sharpens the steps, ``beta`` damps what many took (0: P3α)."""

    num_neighbors: int = 100
    alpha: float = 0.5
    beta: float = 0.1

    def __post_init__(self) -> None:
        check_least(self, num_neighbors=1, alpha=0, beta=0)


class RP3beta(Recommender[RP3betaConfig]):
    """s(u, j) = Σ_{i ∈ I_u} w_ij,  w_ij = Σ_v (p_iv p_vj)^α / |U_j|^β,  p_iv = 1/|U_i| and p_vj = 1/|I_v| along edges.

    The first step's p_ui^α is the same for all that a user took, and orders nothing. Of every i the ``num_neighbors``
    largest w_ij, j ≠ i, are kept.
    """

    Config = RP3betaConfig
    SPACE: ClassVar = {
        "num_neighbors": (10, 25, 50, 100, 200, 400),
        "alpha": (0.3, 0.5, 0.7, 1.0, 1.4),
        "beta": (0.0, 0.1, 0.2, 0.3, 0.6),
    }
    offsets: Tensor  # (U+1,)
    items: Tensor  # (E,)

    def __init__(self, inputs: ModelInputs, config: RP3betaConfig) -> None:
        super().__init__(inputs, config)
        for name, tensor in zip(("offsets", "items"), inputs.train.rows(), strict=True):
            self.register_buffer(name, tensor, persistent=False)
        degrees = torch.bincount(self.items, minlength=self.num_items).float().clamp_(min=1)  # |U_i|
        lengths = self.offsets.diff().float().clamp_(min=1)  # |I_v|
        walks = gram_rows(inputs.train, user_weights=lengths**-config.alpha)
        found = [neighbors(reached, rows, degrees, config) for rows, reached in walks]
        items, near, values = (torch.cat(parts) for parts in zip(*found, strict=True))
        self.weights = SparseMatrix.of(items, near, values, (self.num_items, self.num_items))

    def scorer(self) -> SparseHistoryScorer:
        return SparseHistoryScorer(self.offsets, self.items, self.weights)


def neighbors(reached: "sp.csr_array", rows: slice, degrees: Tensor, config: RP3betaConfig) -> tuple[Tensor, ...]:
    """Items i of a block, where walks from them end and with what w_ij, (n,) each; ``reached`` is Σ_v p_vj^α."""
    weights = torch.from_numpy(reached.toarray())  # (b, I)
    weights *= degrees[rows, None] ** -config.alpha * degrees**-config.beta
    return strongest(weights, rows, config.num_neighbors)
