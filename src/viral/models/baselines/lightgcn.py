"""LightGCN: linear propagation of id embeddings over the user-item graph.

He et al., "LightGCN: Simplifying and Powering Graph Convolution Network for Recommendation", SIGIR 2020,
https://arxiv.org/abs/2002.02126. Reference code: kuandeng/LightGCN.
Shapes: U users, I items, B batch, D embedding dimension.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from viral import graph
from viral.base.recipe import check_least
from viral.data.inputs import ModelInputs
from viral.data.interactions import Triplets
from viral.graph.functions import bpr_triplets, embedding, norm_penalty, propagate_mean, propagate_mean_rows
from viral.models.base import EmbeddingRecommender, Embeddings


@dataclass(frozen=True, kw_only=True)
class LightGCNConfig:
    """Defaults are the paper's (section 4.1.2); the regulariser is the published benchmark's (norms not squared)."""

    embedding_dim: int = 64
    num_layers: int = 3
    reg_weight: float = 1e-4

    def __post_init__(self) -> None:
        check_least(self, embedding_dim=1, num_layers=0)


class LightGCN(EmbeddingRecommender[LightGCNConfig]):
    """Id embeddings, smoothed by ``num_layers`` hops of the interaction graph and averaged (eq. 3, 4)."""

    Config = LightGCNConfig
    SPACE: ClassVar = {"num_layers": (1, 2, 3, 4), "reg_weight": (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)}

    def __init__(self, inputs: ModelInputs, config: LightGCNConfig) -> None:
        super().__init__(inputs, config)
        self.user_embedding = embedding(self.num_users, config.embedding_dim)
        self.item_embedding = embedding(self.num_items, config.embedding_dim)
        self.adjacency = graph.bipartite_adjacency(inputs.train)

    def embed(self) -> Embeddings:
        ego = torch.cat([self.user_embedding.weight, self.item_embedding.weight])  # (U+I, D), layer 0
        nodes = propagate_mean(self.adjacency, ego, self.config.num_layers)
        users, items = nodes.tensor_split([self.num_users])
        return Embeddings(users, items)

    def loss(self, batch: Triplets) -> dict[str, Tensor]:
        rows = batch.users, torch.cat([batch.positives, batch.negatives])
        ego = self.user_embedding.weight, self.item_embedding.weight
        (users, items), (p, q) = propagate_mean_rows(self.adjacency, ego, self.config.num_layers, rows)
        return {
            "bpr": bpr_triplets(users, *items.chunk(2)),  # (B, D) each
            "reg": self.config.reg_weight * norm_penalty(p, *q.chunk(2)),
        }
