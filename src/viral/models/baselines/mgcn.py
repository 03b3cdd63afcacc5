"""MGCN: features purified by behaviour, seen through two graphs, fused by what behaviour prefers.

Yu et al., "Multi-View Graph Convolutional Network for Multimedia Recommendation", ACM MM 2023,
https://arxiv.org/abs/2308.03588. Published code: demonph10/MGCN.
Shapes: U users, I items, n rows, D embedding dimension, F features, M modalities.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from viral import graph
from viral.base.recipe import check_least
from viral.data.inputs import ModelInputs
from viral.data.interactions import Triplets
from viral.models.families.modality_views import (
    Fuser,
    ItemGraphs,
    Purifiers,
    ViewConfig,
    ViewRecommender,
    user_rows,
    with_users,
)


@dataclass(frozen=True, kw_only=True)
class MGCNConfig(ViewConfig):
    """Defaults are the published configuration; ``contrast_weight`` is the middle of its grid."""

    num_neighbors: int = 10  # of the item graphs

    def __post_init__(self) -> None:
        super().__post_init__()
        check_least(self, num_neighbors=1)


class MGCN(ViewRecommender[MGCNConfig]):
    """A node is its behaviour plus the fused modalities of the item that it is, or of the items in its history."""

    Config = MGCNConfig
    SPACE: ClassVar = {
        "contrast_weight": (0.001, 0.01, 0.1),
        "reg_weight": (1e-5, 1e-4, 1e-3),
        "learning_rate": (5e-4, 1e-3),
    }

    def __init__(self, inputs: ModelInputs, config: MGCNConfig) -> None:
        super().__init__(inputs, config)
        self.adjacency = graph.bipartite_adjacency(inputs.train)
        self.interactions = user_rows(self.adjacency, self.num_users)
        self.item_graphs = ItemGraphs(self.content.graphs(config.num_neighbors, graph.weighted_knn_graph))
        self.purifiers = Purifiers(self.content.widths, config.embedding_dim)
        self.fuser = Fuser(config.embedding_dim, self.content.names)

    def views(self, batch: Triplets | None) -> list[Tensor]:
        """Each modality of the nodes: M times (n, D). Items add up similar items, users those of their history."""
        purified = self.purifiers(self.item_ids.weight, self.features)
        return with_users(self.interactions, self.item_graphs(purified, self.config.num_item_layers), batch)

    def represent(self, batch: Triplets | None = None) -> tuple[Tensor, Tensor]:
        behaviour = self.behaviour(batch)
        return behaviour, self.fuser(behaviour, self.views(batch))
