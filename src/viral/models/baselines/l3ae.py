"""L3AE: EASE that is drawn to an item-item matrix made of the items' features alone.

Moon, Park, Lee, "LLM-Enhanced Linear Autoencoders for Recommendation", CIKM 2025, https://arxiv.org/abs/2508.13500:
two closed forms, one of the features, one of the choices, so that a feature counts by what it tells apart and not by
its length. Weights of users and the dropout of Steck, "Autoencoders that don't overfit towards the Identity", NeurIPS
2020, are options of ours. Shapes: U users, I items, F features, M modalities. The solution is dense, I × I.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from viral.base.errors import UsageError
from viral.base.recipe import check_least
from viral.data.inputs import ModelInputs
from viral.data.interactions import Interactions
from viral.models.base import Recommender
from viral.models.families.content import ContentConfig
from viral.models.families.gram import item_gram, solve_without_diagonal
from viral.models.scorers import HistoryScorer


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


class L3AE(Recommender[L3AEConfig]):
    """min_W ‖X - XW‖² + λ‖W‖² + β‖W - S‖² with diag(W) = 0, S the EASE of the features: :func:`item_weights`."""

    Config = L3AEConfig
    SPACE: ClassVar[dict[str, tuple[Any, ...]]] = {
        "reg_weight": (30.0, 100.0, 300.0),
        "feature_weight": (30.0, 100.0, 300.0),
        "feature_reg": (3.0, 10.0, 30.0),
    }
    offsets: Tensor  # (U+1,)
    items: Tensor  # (E,)
    weights: Tensor  # (I, I)

    def __init__(self, inputs: ModelInputs, config: L3AEConfig) -> None:
        super().__init__(inputs, config)
        weights = item_weights(
            inputs,
            tuple(config.sources.values()),
            reg_weight=config.reg_weight,
            feature_weight=config.feature_weight,
            feature_reg=config.feature_reg,
            user_power=config.user_power,
            dropout=config.dropout,
        )
        for name, tensor in zip(("offsets", "items"), inputs.train.rows(), strict=True):
            self.register_buffer(name, tensor, persistent=False)
        self.register_buffer("weights", weights, persistent=False)

    def scorer(self) -> HistoryScorer:
        return HistoryScorer(self.offsets, self.items, self.weights)


def item_weights(
    inputs: ModelInputs,
    modalities: Sequence[str],
    *,
    reg_weight: float,
    feature_weight: float,
    feature_reg: float,
    user_power: float,
    dropout: float,
) -> Tensor:
    """W (I, I) = P (G + β S) - P diag(γ), P = (G + Λ)⁻¹, γ so that the diagonal is 0.

    G = Xᵀ D X with users weighed D = diag((n_u / mean n)^-a), Λ = diag(λ + β + p/(1-p) G_ii), and S the EASE of
    ``modalities`` (:func:`feature_weights`). Without any, β is 0: EASE with these options. Raises ``DataError`` where
    the matrix is larger than :func:`viral.models.families.gram.check_dense` allows.
    """
    gram = weighted_gram(inputs.train, user_power)
    target = gram.clone()
    extra = reg_weight + dropout / (1 - dropout) * gram.diagonal()
    if modalities and feature_weight:
        extra += feature_weight
        target.add_(feature_weights(inputs, modalities, feature_reg), alpha=feature_weight)
    inverse = _inverse(gram, extra)
    weights = inverse @ target
    return weights.sub_(inverse.mul_(weights.diagonal() / inverse.diagonal())).fill_diagonal_(0)


def feature_weights(inputs: ModelInputs, modalities: Sequence[str], reg_weight: float) -> Tensor:
    """S (I, I): what features of items say for one another, EASE of K = 1/M Σ_m F_m F_mᵀ, rows of F_m at unit length.

    A row without features is 0.
    """
    kernel = torch.zeros(inputs.train.num_items, inputs.train.num_items)
    for name in modalities:
        x = F.normalize(inputs.feature(name), dim=1) * inputs.given(name)[:, None]
        kernel.addmm_(x, x.T, alpha=1 / len(modalities))
    return solve_without_diagonal(kernel, reg_weight, where="feature_reg")


def user_weights(train: Interactions, power: float) -> Tensor:
    """(n_u / mean n)^-a of every user: float32 (U,)."""
    lengths = train.rows()[0].diff().clamp(min=1).double()
    return (lengths / lengths.mean()).pow(-power).float()


def weighted_gram(train: Interactions, user_power: float) -> Tensor:
    """Xᵀ diag((n_u / mean n)^-a) X of the binary user-item matrix: dense float32 (I, I)."""
    return item_gram(train, user_weights(train, user_power))


def _inverse(gram: Tensor, extra: Tensor) -> Tensor:
    """(G + diag(extra))⁻¹, in the place of ``gram``."""
    gram.diagonal().add_(extra)
    factor, failed = torch.linalg.cholesky_ex(gram)
    if failed:
        raise UsageError("reg_weight is too small to solve for", where="item-item weights")
    return torch.cholesky_inverse(factor)
