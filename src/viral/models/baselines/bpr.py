"""BPR matrix factorisation: one vector a user, one vector an item, trained to rank.

Rendle et al., "BPR: Bayesian Personalized Ranking from Implicit Feedback", UAI 2009,
https://arxiv.org/abs/1205.2618. Shapes: U users, I items, B batch, D embedding dimension.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from viral.base.recipe import check_least
from viral.data.inputs import ModelInputs
from viral.data.interactions import Triplets
from viral.graph.functions import bpr_triplets, embedding, norm_penalty
from viral.models.base import EmbeddingRecommender, Embeddings


@dataclass(frozen=True, kw_only=True)
class BPRConfig:
    """Defaults follow the published benchmark; ``reg_weight`` is chosen on validation."""

    embedding_dim: int = 64
    reg_weight: float = 1e-2

    def __post_init__(self) -> None:
        check_least(self, embedding_dim=1)


class BPR(EmbeddingRecommender[BPRConfig]):
    """s(u, i) = ⟨p_u, q_i⟩."""

    Config = BPRConfig
    SPACE: ClassVar = {"reg_weight": (2.0, 1.0, 0.1, 1e-2, 1e-3, 1e-4, 1e-5), "learning_rate": (1e-3, 5e-4, 1e-4)}

    def __init__(self, inputs: ModelInputs, config: BPRConfig) -> None:
        super().__init__(inputs, config)
        self.user_embedding = embedding(self.num_users, config.embedding_dim, normal=True)
        self.item_embedding = embedding(self.num_items, config.embedding_dim, normal=True)

    def embed(self) -> Embeddings:
        return Embeddings(self.user_embedding.weight, self.item_embedding.weight)

    def loss(self, batch: Triplets) -> dict[str, Tensor]:
        users = self.user_embedding.weight.index_select(0, batch.users)  # (B, D)
        items = self.item_embedding.weight.index_select(0, torch.cat([batch.positives, batch.negatives]))
        chosen, skipped = items.chunk(2)
        return {
            "bpr": bpr_triplets(users, chosen, skipped),
            "reg": self.config.reg_weight * norm_penalty(users, chosen, skipped),
        }
