"""MGCN: features purified by behaviour, seen through two graphs, fused by what behaviour prefers.

Yu et al., "Multi-View Graph Convolutional Network for Multimedia Recommendation", ACM MM 2023,
https://arxiv.org/abs/2308.03588. Published code: demonph10/MGCN.
Shapes: U users, I items, n rows, D embedding dimension, F features, M modalities.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor, nn

from viral import graph
from viral.base.recipe import check_least
from viral.data.inputs import ModelInputs
from viral.data.interactions import Triplets
from viral.models.families.modality_views import (
    Fuser,
    Graphs,
    Purifier,
    ViewConfig,
    ViewRecommender,
    propagate_last,
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
    """A node is its behaviour plus the fused modalities of the items that it is or took."""

    Config = MGCNConfig
    SPACE: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        "contrast_weight": (0.001, 0.01, 0.1),
        "reg_weight": (1e-5, 1e-4, 1e-3),
        "learning_rate": (5e-4, 1e-3),
    }

    def __init__(self, inputs: ModelInputs, config: MGCNConfig) -> None:
        super().__init__(inputs, config)
        features, dim = self.content.features, config.embedding_dim
        self.adjacency = graph.bipartite_adjacency(inputs.train)
        self.interactions = user_rows(self.adjacency, self.num_users)
        k, build = config.num_neighbors, graph.weighted_knn_graph
        self.item_graphs = Graphs({m: self.content.graph_of(m, build, k) for m in features})
        self.purifiers = nn.ModuleDict({role: Purifier(x.shape[1], dim) for role, x in features.items()})
        self.fuser = Fuser(dim, self.content.names)

    def views(self, batch: Triplets | None) -> list[Tensor]:
        """Each modality of the nodes: M times (n, D). Items add up similar items, users the items they took."""
        ids, config = self.item_ids.weight, self.config
        purified = {role: self.purifiers[role](ids, x) for role, x in self.features.items()}
        items = [propagate_last(self.item_graphs[role], x, config.num_item_layers) for role, x in purified.items()]
        return with_users(self.interactions, items, batch)

    def represent(self, batch: Triplets | None = None) -> tuple[Tensor, Tensor]:
        behaviour = self.behaviour(batch)
        return behaviour, self.fuser(behaviour, self.views(batch))
