"""GUME: MGCN's views on a graph that joins similar items, and users with modalities of their own.

Lin et al., "GUME: Graphs and User Modalities Enhancement for Long-Tail Multimodal Recommendation", CIKM 2024,
https://arxiv.org/abs/2407.12338. Published code: NanGongNingYi/GUME.
Shapes: U users, I items, N = U+I nodes, n rows, B batch, D embedding dimension, M modalities.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from viral import graph
from viral.data import ModelInputs, Triplets
from viral.models.views import (
    Fuser,
    Graphs,
    Purifier,
    ViewConfig,
    ViewRecommender,
    half_squares,
    joined_adjacency,
    propagate_last,
    ranking_terms,
    sum_of,
    take,
    user_rows,
    with_users,
)
from viral.nn import embedding, propagate_mean
from viral.nn.contrast import one_way_info_nce
from viral.recipe import check_least


@dataclass(frozen=True, kw_only=True)
class GUMEConfig(ViewConfig):
    """Defaults are the published configuration for Baby; ``contrast_weight`` is that of behaviour and modality."""

    num_layers: int = 3
    num_item_layers: int = 2
    num_neighbors: int = 10
    reg_weight: float = 1e-5
    temperature: float = 0.4
    alignment_weight: float = 0.1  # of the moments of the modalities
    user_weight: float = 0.01  # of the agreement of explicit and extended user modalities
    user_temperature: float = 0.1
    user_reg_weight: float = 0.1  # of the extended users' tables

    def __post_init__(self) -> None:
        super().__post_init__()
        check_least(self, num_neighbors=1, alignment_weight=0, user_weight=0, user_reg_weight=0, user_temperature=1e-6)


class GUME(ViewRecommender[GUMEConfig]):
    """A node is its behaviour, on the graph that joins similar items, plus its fused explicit modalities."""

    Config = GUMEConfig
    SPACE: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        "num_item_layers": (1, 2),
        "temperature": (0.2, 0.4),
        "user_weight": (0.01, 0.1),
        "user_temperature": (0.1, 0.2),
        "alignment_weight": (0.001, 0.01, 0.1),
    }

    def __init__(self, inputs: ModelInputs, config: GUMEConfig) -> None:
        super().__init__(inputs, config)
        features, dim, k = self.content.features, config.embedding_dim, config.num_neighbors
        self.item_graphs = Graphs({m: self.content.graph_of(m, graph.weighted_knn_graph, k) for m in features})
        self.adjacency = joined_adjacency(inputs.train, [self.item_graphs[role] for role in features])
        self.interactions = user_rows(self.adjacency, self.num_users)
        self.purifiers = nn.ModuleDict({role: Purifier(x.shape[1], dim) for role, x in features.items()})
        tables = [embedding(self.num_users, dim).weight.detach() for _ in features]
        self.extended = nn.Parameter(torch.stack(tables))  # (M, U, D), modalities of the users' own
        self.fuser = Fuser(dim, self.content.roles)

    def explicit(self) -> list[Tensor]:
        """Each modality of every node, the users being what they took: M times (N, D)."""
        ids, config = self.item_ids.weight, self.config
        purified = {role: self.purifiers[role](ids, x) for role, x in self.features.items()}
        items = [propagate_last(self.item_graphs[role], x, config.num_item_layers) for role, x in purified.items()]
        return with_users(self.interactions, items)

    def represent(self, rows: Tensor | None = None) -> tuple[Tensor, Tensor]:
        behaviour = take(propagate_mean(self.adjacency, self.ego, self.config.num_layers), rows)
        return behaviour, self.fuser(behaviour, [take(view, rows) for view in self.explicit()])

    def loss(self, batch: Triplets) -> dict[str, Tensor]:
        config, rows, explicit = self.config, self.rows(batch), self.explicit()
        starts = [torch.cat([own, x[self.num_users :]]) for own, x in zip(self.extended, explicit, strict=True)]
        together = torch.cat([self.ego, *starts], dim=1)  # (N, D + M·D)
        nodes, *extended = propagate_mean(self.adjacency, together, config.num_layers).chunk(1 + len(starts), dim=1)
        behaviour = take(nodes, rows)
        side = self.fuser(behaviour, [take(view, rows) for view in explicit])
        terms = ranking_terms(behaviour + side, config.reg_weight) | self.agreement(side, behaviour)
        terms["user_reg"] = config.user_reg_weight * half_squares(*self.extended.index_select(1, batch.users))
        if config.user_weight:
            pairs = [[take(x, batch.users) for x in pair] for pair in zip(extended, explicit, strict=True)]
            terms["user"] = config.user_weight * sum_of(
                one_way_info_nce(wide, told, config.user_temperature) for wide, told in pairs
            )
        if len(explicit) > 1 and config.alignment_weight:
            terms["alignment"] = config.alignment_weight * moment_distance(*explicit)
        return terms


def moment_distance(a: Tensor, b: Tensor) -> Tensor:
    """|Δ mean| + |Δ variance| of all entries of two tables."""
    return (a.mean() - b.mean()).abs() + (a.var() - b.var()).abs()
