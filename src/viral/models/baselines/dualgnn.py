"""DualGNN: a branch of the user-item graph per modality, weighed by each user, and the users of common items.

Wang, Wei, Yin, Wu, Song & Nie, "DualGNN: Dual Graph Neural Network for Multimedia Recommendation", IEEE Transactions on
Multimedia 2023 (early access 2021), https://doi.org/10.1109/TMM.2021.3138298.
Shapes: U users, I items, D embedding dimension, P modalities.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from viral import graph
from viral.base.recipe import check_least
from viral.data.inputs import ModelInputs
from viral.data.interactions import Triplets
from viral.graph.functions import bpr_loss_bits, dot, propagate_sum
from viral.models.base import EmbeddingRecommender, Embeddings
from viral.models.families.content import Content
from viral.models.families.modality_branches import BranchConfig, Branches, BranchWeights, UserGraph, of_pairs, squares


@dataclass(frozen=True, kw_only=True)
class DualGNNConfig(BranchConfig):
    """Settings of the published benchmark's port; ``reg_weight`` is chosen on validation."""

    num_user_neighbors: int = 40
    resample_user_graph: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check_least(self, num_user_neighbors=0)


class DualGNN(EmbeddingRecommender[DualGNNConfig]):
    """u = ũ + A_u ũ with ũ = Σ_m w_um u_m, i = Σ_m i_m."""

    Config = DualGNNConfig
    SPACE: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        "learning_rate": (1e-4, 1e-3),
        "reg_weight": (1e-1, 1e-2, 1e-3, 1e-4),
    }

    def __init__(self, inputs: ModelInputs, config: DualGNNConfig) -> None:
        super().__init__(inputs, config)
        self.content = Content(inputs, config)
        widths = self.content.widths
        self.branches = Branches(self.num_users, widths, config)
        self.branch_weights = BranchWeights(self.num_users, len(widths))
        self.adjacency = graph.bipartite_adjacency(inputs.train)
        self.user_graph = UserGraph(inputs.train, config.num_user_neighbors, resample=config.resample_user_graph)

    def on_epoch_start(self, rng: torch.Generator) -> None:
        self.user_graph.draw(rng)

    def embed(self) -> Embeddings:
        return self.represent()

    def represent(self, chosen: Tensor | None = None) -> Embeddings:
        """Every item, and every user or those ``chosen`` (n,)."""
        nodes = propagate_sum(self.adjacency, self.branches(self.content.features), self.config.num_layers)
        users, items = nodes.tensor_split([self.num_users])  # (U, P·D), (I, P·D)
        of_branches = (len(self.content.names), self.config.embedding_dim)
        fused = self.branch_weights(users).unflatten(1, of_branches).sum(dim=1)
        return Embeddings(self.user_graph(fused, chosen), items.unflatten(1, of_branches).sum(dim=1))

    def loss(self, batch: Triplets) -> dict[str, Tensor]:
        u, items = self.represent(batch.users)
        chosen, skipped = of_pairs(items, batch)
        tables = self.branches.preferences.index_select(0, batch.users)  # (B, P, D)
        reg = self.config.reg_weight * squares(tables, self.branch_weights)
        return {"bpr": bpr_loss_bits(dot(u, chosen), dot(u, skipped)), "reg": reg}
