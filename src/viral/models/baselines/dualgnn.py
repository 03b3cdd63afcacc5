"""DualGNN: a branch of the user-item graph per modality, weighed by each user, and the users of common items.

Wang, Wei, Yin, Wu, Song & Nie, "DualGNN: Dual Graph Neural Network for Multimedia Recommendation", IEEE Transactions on
Multimedia 2023 (early access 2021), https://doi.org/10.1109/TMM.2021.3138298.
Shapes: U users, I items, D embedding dimension, P modalities.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from viral.base.recipe import check_least
from viral.data.inputs import ModelInputs
from viral.models.base import Embeddings
from viral.models.families.modality_branches import BranchConfig, BranchRecommender, UserGraph


@dataclass(frozen=True, kw_only=True)
class DualGNNConfig(BranchConfig):
    """Settings of the published benchmark's port; ``reg_weight`` is chosen on validation."""

    num_user_neighbors: int = 40
    resample_user_graph: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check_least(self, num_user_neighbors=0)


class DualGNN(BranchRecommender[DualGNNConfig]):
    """u = ũ + A_u ũ with ũ = Σ_m w_um u_m, i = Σ_m i_m."""

    Config = DualGNNConfig
    SPACE: ClassVar = {"learning_rate": (1e-4, 1e-3), "reg_weight": (1e-1, 1e-2, 1e-3, 1e-4)}

    def __init__(self, inputs: ModelInputs, config: DualGNNConfig) -> None:
        super().__init__(inputs, config)
        self.user_graph = UserGraph(inputs.train, config.num_user_neighbors, resample=config.resample_user_graph)

    def on_epoch_start(self, rng: torch.Generator) -> None:
        self.user_graph.draw(rng)

    def represent(self, chosen: Tensor | None = None) -> Embeddings:
        users, items = self.propagate()
        return Embeddings(self.user_graph(self.fuse(self.branch_weights(users)), chosen), self.fuse(items))

    def fuse(self, nodes: Tensor) -> Tensor:
        """The sum of the branches: (n, P·D) -> (n, D)."""
        return nodes.unflatten(1, (-1, self.config.embedding_dim)).sum(dim=1)

    @property
    def parts(self) -> Mapping[str, tuple[int, int]]:
        return {}
