"""L3AE: EASE that is drawn to an item-item matrix made of the items' features alone.

Moon, Park, Lee, "LLM-Enhanced Linear Autoencoders for Recommendation", CIKM 2025, https://arxiv.org/abs/2508.13500:
two closed forms, one of the features, one of the choices, so that a feature counts by what it tells apart and not by
its length. Weights of users and the dropout of Steck, "Autoencoders that don't overfit towards the Identity", NeurIPS
2020, are options of ours. Shapes: U users, I items, F features, M modalities. The solution is dense, I × I.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from viral.base.errors import UsageError
from viral.base.recipe import check_least
from viral.data.inputs import ModelInputs
from viral.models.families.closed_form import item_weights
from viral.models.families.content import ContentConfig
from viral.models.families.item_item import DenseItemItem


@dataclass(frozen=True, kw_only=True)
class L3AEConfig(ContentConfig):
    """Defaults are the published form: all users alike, no dropout."""

    visual: str | None = None
    reg_weight: float = 100.0  # λ
    feature_weight: float = 100.0  # β: how strongly W is drawn to S
    feature_reg: float = 10.0  # λ of S
    user_power: float = 0.0  # a: a user of n choices counts (n / mean n)^-a
    dropout: float = 0.0  # p: the share of choices that are left out, in expectation

    def __post_init__(self) -> None:
        check_least(self, feature_weight=0, feature_reg=1e-9, user_power=0, dropout=0)
        if self.dropout >= 1:
            raise UsageError(f"dropout = {self.dropout} leaves no choice", where="L3AEConfig")


class L3AE(DenseItemItem[L3AEConfig]):
    """min_W ‖X - XW‖² + λ‖W‖² + β‖W - S‖² with diag(W) = 0, S the EASE of the features: :func:`item_weights`."""

    Config = L3AEConfig
    SPACE: ClassVar = {
        "reg_weight": (30.0, 100.0, 300.0),
        "feature_weight": (30.0, 100.0, 300.0),
        "feature_reg": (3.0, 10.0, 30.0),
    }

    def solve(self, inputs: ModelInputs) -> Tensor:
        """W = P (G + β S) - P diag(γ): :func:`viral.models.families.closed_form.item_weights`."""
        return item_weights(inputs, tuple(self.config.sources.values()), self.config)
