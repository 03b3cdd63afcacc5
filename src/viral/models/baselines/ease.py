"""EASE: a linear item-item model in closed form.

Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019, https://arxiv.org/abs/1905.03375.
Shapes: U users, I items. The solution is dense, I × I.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from viral.data.inputs import ModelInputs
from viral.models.families.closed_form import item_gram, solve_without_diagonal
from viral.models.families.item_item import DenseItemItem


@dataclass(frozen=True, kw_only=True)
class EASEConfig:
    """``reg_weight`` is λ of eq. 4: the larger, the closer to popularity among items chosen together."""

    reg_weight: float = 250.0


class EASE(DenseItemItem[EASEConfig]):
    """min_B ‖X - XB‖² + λ‖B‖² with diag(B) = 0;  B = I - P diag(1/diag P),  P = (XᵀX + λI)⁻¹ (eq. 8)."""

    Config = EASEConfig
    SPACE: ClassVar = {"reg_weight": (10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0)}

    def solve(self, inputs: ModelInputs) -> Tensor:
        return solve_without_diagonal(item_gram(inputs.train), self.config.reg_weight, where="[config] of EASE")
