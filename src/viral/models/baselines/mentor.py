"""MENTOR: fused modalities, aligned with the ids in distribution and made robust by noise and masks.

Xu, Chen, Yang, Li, Wang & Ngai, "MENTOR: Multi-level Self-supervised Learning for Multimodal Recommendation",
AAAI 2025, https://arxiv.org/abs/2402.19407.
Shapes: U users, I items, B batch, D embedding dimension of one branch, P modalities.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from viral import graph
from viral.base.errors import UsageError
from viral.base.recipe import check_least
from viral.data.inputs import ModelInputs
from viral.data.interactions import Triplets
from viral.graph.functions import bpr_loss_bits, dot, propagate_sum
from viral.models.base import EmbeddingRecommender, Embeddings
from viral.models.families.content import Content
from viral.models.families.mentor_tasks import (
    IdBranch,
    between_views,
    contrasted,
    instead,
    masking_distance,
    misalignment,
    noisy_sum,
)
from viral.models.families.modality_branches import BranchConfig, Branches, BranchWeights, columns, of_triplets, squares


@dataclass(frozen=True, kw_only=True)
class MENTORConfig(BranchConfig):
    """Published settings; ``separate_views=True, mask_weight=0`` trains what the published code trains."""

    num_neighbors: int = 10  # of the item graph
    visual_weight: float = 0.1  # of the item graph
    align_weight: float = 0.1
    contrast_weight: float = 1e-4
    temperature: float = 0.2
    noise: float = 0.1  # length of what is added to each row of each layer
    contrast_nodes: int | None = None  # None: contrast every user and item in every step; n: at most n triplets' nodes
    separate_views: bool = False  # give each noisy view its own encoders and user tables, as the published code does
    mask_weight: float = 1.5
    dropout: float = 0.5  # of the mask

    def __post_init__(self) -> None:
        super().__post_init__()
        check_least(self, num_neighbors=1, visual_weight=0, align_weight=0, contrast_weight=0, temperature=1e-6)
        check_least(self, noise=0, contrast_nodes=1, mask_weight=0, dropout=0)
        if self.dropout >= 1:
            raise UsageError(f"dropout = {self.dropout} masks everything", where=type(self).__name__)


class MENTOR(EmbeddingRecommender[MENTORConfig]):
    """u = [w_um u_m]_m, i = ĩ + S ĩ with ĩ = [i_m]_m; the id branch only guides the others."""

    Config = MENTORConfig
    SPACE: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        "learning_rate": (1e-4, 1e-3),
        "contrast_weight": (1e-3, 1e-4),
        "temperature": (0.2, 0.4, 0.6),
    }

    def __init__(self, inputs: ModelInputs, config: MENTORConfig) -> None:
        super().__init__(inputs, config)
        self.content = Content(inputs, config)
        widths = self.content.widths
        self.branches = Branches(self.num_users, widths, config)
        self.branch_weights = BranchWeights(self.num_users, len(widths))
        self.id_branch = IdBranch(self.num_users, self.num_items, config) if config.align_weight else None
        separate = config.separate_views and config.contrast_weight
        self.views = nn.ModuleList(Branches(self.num_users, widths, config) for _ in range(2 if separate else 0))
        self.adjacency = graph.bipartite_adjacency(inputs.train)
        self.item_graph = self.content.item_graph(config.num_neighbors, config.visual_weight)

    def smooth(self, items: Tensor) -> Tensor:
        """Items with those that are similar: (I, ·) -> (I, ·)."""
        return items + self.item_graph @ items

    def embed(self) -> Embeddings:
        ego = self.branches(self.content.features)
        users, items = propagate_sum(self.adjacency, ego, self.config.num_layers).tensor_split([self.num_users])
        return Embeddings(self.branch_weights(users), self.smooth(items))

    def loss(self, batch: Triplets) -> dict[str, Tensor]:
        config, ego, split = self.config, self.branches(self.content.features), [self.num_users, self.num_items]
        starts = ego if self.id_branch is None else torch.cat([ego, self.id_branch()], dim=1)
        nodes = propagate_sum(self.adjacency, starts, config.num_layers)
        nodes, *ids = (nodes,) if starts is ego else nodes.split([ego.shape[1], config.embedding_dim], dim=1)
        users, items = nodes.split(split)
        smooth = self.smooth(items)
        fused = Embeddings(self.branch_weights(users), smooth)
        u, chosen, skipped = of_triplets(fused, batch)
        reg = config.reg_weight * squares(self.branches.preferences.index_select(0, batch.users), self.branch_weights)
        terms = {"bpr": bpr_loss_bits(dot(u, chosen), dot(u, skipped)), "reg": reg}
        for user_ids, item_ids in (table.split(split) for table in ids):
            tables = (users, user_ids), (smooth, self.smooth(item_ids))
            terms["align"] = config.align_weight * misalignment(*tables, self.branch_weights.values)
        if config.contrast_weight:
            terms["contrast"] = config.contrast_weight * self.contrast(ego, nodes, batch)
        if config.mask_weight:
            terms["mask"] = config.mask_weight * masking_distance(fused, config.dropout)
        return terms

    def contrast(self, ego: Tensor, nodes: Tensor, batch: Triplets) -> Tensor:
        """InfoNCE between two noisy views of the users, and of the items; ``nodes`` is the sum of layers of ``ego``."""
        config, pairs = self.config, [(ego, nodes)] * 2
        if self.views:
            starts = [view(self.content.features) for view in self.views]
            pairs = [(start, propagate_sum(self.adjacency, start, config.num_layers)) for start in starts]
        layers = config.num_layers, config.noise, config.embedding_dim
        with torch.no_grad():
            firsts = [self.adjacency @ start for start, _ in (pairs if self.views else pairs[:1])]
        rows = contrasted(batch, config.contrast_nodes)
        one, two = (
            self.fuse(instead(noisy_sum(self.adjacency, start, layers, first), plain), rows)
            for (start, plain), first in zip(pairs, firsts * (2 // len(firsts)), strict=True)
        )
        return between_views(one, two, config.temperature)

    def fuse(self, nodes: Tensor, rows: tuple[Tensor, Tensor] | None) -> Embeddings:
        """Nodes of P branches (U+I, P·D), weighed by the users and smoothed; of some users and items, or of all."""
        users, items = nodes.split([self.num_users, self.num_items])
        if rows is None:
            return Embeddings(self.branch_weights(users), self.smooth(items))
        chosen, weights = (table.index_select(0, rows[0]) for table in (users, self.branch_weights.values))
        weighed = (chosen.unflatten(1, (weights.shape[1], -1)) * weights[:, :, None]).flatten(1)
        return Embeddings(weighed, items.index_select(0, rows[1]) + self.item_graph.rows(rows[1]) @ items)

    @property
    def parts(self) -> Mapping[str, tuple[int, int]]:
        return columns(self.content.names, self.config.embedding_dim)
