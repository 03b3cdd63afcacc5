"""EASE: a linear item-item model in closed form.

Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019, https://arxiv.org/abs/1905.03375.
Shapes: U users, I items. The solution is dense, I × I.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from viral.data.inputs import ModelInputs
from viral.models.base import Recommender
from viral.models.families.gram import item_gram, solve_without_diagonal
from viral.models.scorers import HistoryScorer


@dataclass(frozen=True, kw_only=True)
class EASEConfig:
    """``reg_weight`` is λ of eq. 4: the larger, the closer to popularity among co-taken items."""

    reg_weight: float = 250.0


class EASE(Recommender[EASEConfig]):
    """min_B ‖X - XB‖² + λ‖B‖² with diag(B) = 0;  B = I - P diag(1/diag P),  P = (XᵀX + λI)⁻¹ (eq. 8)."""

    Config = EASEConfig
    SPACE: ClassVar = {"reg_weight": (10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0)}
    offsets: Tensor  # (U+1,)
    items: Tensor  # (E,)
    weights: Tensor  # (I, I)

    def __init__(self, inputs: ModelInputs, config: EASEConfig) -> None:
        super().__init__(inputs, config)
        weights = solve_without_diagonal(item_gram(inputs.train), config.reg_weight, where="[config] of EASE")
        for name, tensor in zip(("offsets", "items"), inputs.train.rows(), strict=True):
            self.register_buffer(name, tensor, persistent=False)
        self.register_buffer("weights", weights, persistent=False)

    def scorer(self) -> HistoryScorer:
        return HistoryScorer(self.offsets, self.items, self.weights)
