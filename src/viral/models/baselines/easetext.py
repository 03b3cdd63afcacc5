"""EASE with text: a linear item-item model that has to explain the items' features as well as the choices.

Jeunen, Van Balen, Goethals, "Closed-Form Models for Collaborative Filtering with Side-Information", RecSys 2020,
https://doi.org/10.1145/3383313.3418480 (the collective model, CEASE). Every feature is one more row of the user-item
matrix, as if it were a user who takes items to a degree. Shapes: I items, F features. The solution is dense, I × I.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from viral.base.errors import UsageError
from viral.base.recipe import check_least
from viral.data.inputs import ModelInputs
from viral.models.families.closed_form import item_gram, solve_without_diagonal
from viral.models.families.content import Content, ContentConfig
from viral.models.families.item_item import DenseItemItem


@dataclass(frozen=True, kw_only=True)
class EASETextConfig(ContentConfig):
    """``feature_weight`` is α: how many users an item's features are worth; 0 is EASE itself."""

    visual: str | None = None
    reg_weight: float = 250.0  # λ
    feature_weight: float = 10.0  # α
    visual_weight: float = 0.1  # the picture's share of α, where there are both

    def __post_init__(self) -> None:
        check_least(self, feature_weight=0)
        if not 0 <= self.visual_weight <= 1:
            raise UsageError(f"visual_weight = {self.visual_weight} is not a share, 0 to 1", where="EASETextConfig")


class EASEText(DenseItemItem[EASETextConfig]):
    """min_B ‖X - XB‖² + α Σ_m w_m ‖F_mᵀ - F_mᵀB‖² + λ‖B‖² with diag(B) = 0, rows of F_m (I, F) at unit length.

    B = I - P diag(1/diag P) with P = (XᵀX + α Σ_m w_m F_m F_mᵀ + λI)⁻¹.
    """

    Config = EASETextConfig
    SPACE: ClassVar = {
        "reg_weight": (100.0, 250.0, 500.0, 1000.0),
        "feature_weight": (1.0, 3.0, 10.0, 30.0, 100.0),
    }

    def solve(self, inputs: ModelInputs) -> Tensor:
        config = self.config
        content = Content(inputs, config, normalize=True)
        gram = item_gram(inputs.train)  # (I, I)
        for role, share in content.shares(config.visual_weight).items():
            x = content.features[role]
            gram.addmm_(x, x.T, alpha=config.feature_weight * share)
        return solve_without_diagonal(gram, config.reg_weight, where="[config] of EASEText")
