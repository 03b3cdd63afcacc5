"""DRAGON: a branch of the user-item graph per modality, then the users' graph and the items' graph.

Zhou, Zhou, Zhang & Shen, "Enhancing Dyadic Relations with Homogeneous Graphs for Multimodal Recommendation", ECAI 2023,
https://arxiv.org/abs/2301.12097. Shapes: U users, I items, D embedding dimension of one branch, P modalities.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from viral.data.inputs import ModelInputs
from viral.models.base import Embeddings
from viral.models.families.modality_branches import BranchRecommender, TwoGraphConfig, UserGraph


@dataclass(frozen=True, kw_only=True)
class DRAGONConfig(TwoGraphConfig):
    """Published settings of Baby and Sports; for Clothing ``reg_weight`` is 0.1."""


class DRAGON(BranchRecommender[DRAGONConfig]):
    """u = ũ + A_u ũ with ũ = [w_um u_m]_m, i = ĩ + S ĩ with ĩ = [i_m]_m."""

    Config = DRAGONConfig
    SPACE: ClassVar = {"learning_rate": (1e-4, 1e-3), "reg_weight": (1e-1, 1e-2, 1e-3, 1e-4)}

    def __init__(self, inputs: ModelInputs, config: DRAGONConfig) -> None:
        super().__init__(inputs, config)
        self.item_graph = self.content.item_graph(config.num_neighbors, config.visual_weight)
        self.user_graph = UserGraph(inputs.train, config.num_user_neighbors, resample=config.resample_user_graph)

    def on_epoch_start(self, rng: torch.Generator) -> None:
        self.user_graph.draw(rng)

    def represent(self, chosen: Tensor | None = None) -> Embeddings:
        users, items = self.propagate()
        return Embeddings(self.user_graph(self.branch_weights(users), chosen), items + self.item_graph @ items)
