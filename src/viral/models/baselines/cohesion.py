"""COHESION: modalities refined by the ids before they travel three kinds of graphs, and fused after.

Xu, Chen, Wang, Hu, Kim & Ngai, "COHESION: Composite Graph Convolutional Network with Dual-Stage Fusion for Multimodal
Recommendation", SIGIR 2025, https://arxiv.org/abs/2504.04452.
Shapes: U users, I items, B batch, D embedding dimension of one branch, P branches (ids and modalities).
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from viral.data.inputs import ModelInputs
from viral.data.interactions import Triplets
from viral.graph.functions import bpr_loss_bits, embedding, times_cosine
from viral.models.base import Embeddings
from viral.models.families.modality_branches import BranchRecommender, TwoGraphConfig, UserGraph, of_pairs


@dataclass(frozen=True, kw_only=True)
class COHESIONConfig(TwoGraphConfig):
    """Settings of public ports (the published best is not given); ``detach_ids=True`` is the published code's form."""

    detach_ids: bool = False  # leave the id branch's user table and encoder at random, and its items to the others


class COHESION(BranchRecommender[COHESIONConfig]):
    """u = ũ + A_u ũ with ũ = [w_ub u_b]_b, i = ĩ + S ĩ with ĩ = [i_b]_b, over the branches b: id, and each modality."""

    Config = COHESIONConfig
    SPACE: ClassVar = {
        "learning_rate": (1e-4, 1e-3),
        "num_layers": (1, 2, 3, 4),
        "reg_weight": (1e-1, 1e-2, 1e-3, 1e-4),
    }

    def __init__(self, inputs: ModelInputs, config: COHESIONConfig) -> None:
        super().__init__(inputs, config)
        self.item_graph = self.content.item_graph(config.num_neighbors, config.visual_weight)
        self.user_graph = UserGraph(inputs.train, config.num_user_neighbors, resample=config.resample_user_graph)

    def build_branches(self) -> None:
        """One of the ids, and one of each modality."""
        dim = self.config.embedding_dim
        self.item_embedding = embedding(self.num_items, dim, normal=True)
        self.add_branches({"id": dim} | self.content.widths)

    def on_epoch_start(self, rng: torch.Generator) -> None:
        self.user_graph.draw(rng)

    def ego(self) -> Tensor:
        """Layer 0 (U+I, P·D): early fusion takes the quadratic mean of an item's id and each branch's encoding."""
        ids = self.item_embedding.weight  # (I, D)
        encoded = self.branches.encode({"id": ids} | self.content.features)  # (I, P, D)
        items = ((ids.square()[:, None] + encoded.square()) / 2 + 1e-8).sqrt()
        nodes = self.branches.beside(items)
        if not self.config.detach_ids:
            return nodes
        of_ids, of_content = nodes.tensor_split([self.config.embedding_dim], dim=1)
        return torch.cat([of_ids.detach(), of_content], dim=1)

    def propagate(self) -> tuple[Tensor, Tensor]:
        """Σ_l X_l, X_l = cos(Â X_(l-1), X_0) · Â X_(l-1) per node and branch (LayerGCN, Zhou et al., ICDE 2023)."""
        layer = total = ego = self.ego()
        start = self.by_branch(ego)
        for _ in range(self.config.num_layers):
            layer = times_cosine(self.by_branch(self.adjacency @ layer), start).flatten(1)
            total = total + layer
        users, items = total.tensor_split([self.num_users])
        return users, items

    def by_branch(self, columns: Tensor) -> Tensor:
        """(n, P·D) -> (n, P, D)."""
        return columns.unflatten(1, (-1, self.config.embedding_dim))

    def represent(self, chosen: Tensor | None = None) -> Embeddings:
        users, items = self.propagate()
        return Embeddings(self.user_graph(self.branch_weights(users), chosen), items + self.item_graph @ items)

    def loss(self, batch: Triplets) -> dict[str, Tensor]:
        u, items = self.represent(batch.users)
        chosen, skipped = of_pairs(items, batch)
        leads = self.by_branch(u * (chosen - skipped)).sum(dim=-1)  # (B, P): s⁺ - s⁻ in each branch
        lag = 1 - leads.detach().softmax(dim=1)  # adaptive optimisation: who ranks worse counts more
        lead = (lag * leads).sum(dim=1)
        bpr = bpr_loss_bits(lead, torch.zeros_like(lead))
        return {"bpr": bpr, "reg": self.penalty(batch, first=1)}  # the ids' table is left free
