"""RP3β: an item is recommended where walks from the history end, the popular ones damped.

Paudel, Christoffel, Newell, Bernstein, "Updatable, Accurate, Diverse, and Scalable Recommendations for Interactive
Applications", TiiS 7(1), 2017, https://doi.org/10.1145/2955101. The neighbours of each item are cut off as in Ferrari
Dacrema et al., "Are We Really Making Much Progress?", RecSys 2019. Shapes: U users, I items.
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
class RP3betaConfig:
    """``alpha`` sharpens the steps, ``beta`` damps what many chose (0: P3α)."""

    num_neighbors: int = 100
    alpha: float = 0.5
    beta: float = 0.1

    def __post_init__(self) -> None:
        check_least(self, num_neighbors=1, alpha=0, beta=0)


class RP3beta(SparseItemItem[RP3betaConfig]):
    """s(u, j) = Σ_{i ∈ I_u} w_ij,  w_ij = Σ_v (p_iv p_vj)^α / |U_j|^β,  p_iv = 1/|U_i| and p_vj = 1/|I_v| along edges.

    The first step's p_ui^α is the same for all of a history, and orders nothing. Of every i the ``num_neighbors``
    largest w_ij, j ≠ i, are kept.
    """

    Config = RP3betaConfig
    SPACE: ClassVar = {
        "num_neighbors": (10, 25, 50, 100, 200, 400),
        "alpha": (0.3, 0.5, 0.7, 1.0, 1.4),
        "beta": (0.0, 0.1, 0.2, 0.3, 0.6),
    }

    def solve(self, inputs: ModelInputs) -> Iterator[Entries]:
        config = self.config
        degrees = torch.bincount(self.items, minlength=self.num_items).float().clamp_(min=1)  # |U_i|
        lengths = self.offsets.diff().float().clamp_(min=1)  # |I_v|
        walks = gram_rows(inputs.train, user_weights=lengths**-config.alpha)
        for rows, reached in walks:  # Σ_v p_vj^α
            weights = torch.from_numpy(reached.toarray())  # (b, I)
            weights *= degrees[rows, None] ** -config.alpha * degrees**-config.beta
            yield strongest(weights, rows, config.num_neighbors)
