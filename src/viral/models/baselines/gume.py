"""GUME: MGCN's views on a graph that joins similar items, and users with modalities of their own.

Lin et al., "GUME: Graphs and User Modalities Enhancement for Long-Tail Multimodal Recommendation", CIKM 2024,
https://arxiv.org/abs/2407.12338. Published code: NanGongNingYi/GUME.
Shapes: U users, I items, N = U+I nodes, n rows, B batch, D embedding dimension, M modalities.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from viral import graph
from viral.base.recipe import check_least
from viral.data.inputs import ModelInputs
from viral.data.interactions import Interactions, Triplets
from viral.graph import SparseMatrix
from viral.graph.functions import embedding, half_squares, propagate_mean, sum_of
from viral.graph.functions.infonce import distinct_info_nce
from viral.models.families.modality_views import (
    Fuser,
    ItemGraphs,
    Purifiers,
    ViewConfig,
    ViewRecommender,
    ranking_terms,
    user_rows,
    with_users,
)


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
    SPACE: ClassVar = {
        "num_item_layers": (1, 2),
        "temperature": (0.2, 0.4),
        "user_weight": (0.01, 0.1),
        "user_temperature": (0.1, 0.2),
        "alignment_weight": (0.001, 0.01, 0.1),
    }

    def __init__(self, inputs: ModelInputs, config: GUMEConfig) -> None:
        super().__init__(inputs, config)
        dim, roles = config.embedding_dim, self.content.names
        self.item_graphs = ItemGraphs(self.content.graphs(config.num_neighbors, graph.weighted_knn_graph))
        self.adjacency = joined_adjacency(inputs.train, [self.item_graphs[role] for role in roles])
        self.interactions = user_rows(self.adjacency, self.num_users)
        self.purifiers = Purifiers(self.content.widths, dim)
        tables = [embedding(self.num_users, dim).weight.detach() for _ in roles]
        self.extended = nn.Parameter(torch.stack(tables))  # (M, U, D), modalities of the users' own
        self.fuser = Fuser(dim, roles)

    def explicit(self) -> list[Tensor]:
        """Each modality of every item, purified and spread over similar ones: M times (I, D)."""
        purified = self.purifiers(self.item_ids.weight, self.features)
        spread: list[Tensor] = self.item_graphs(purified, self.config.num_item_layers)
        return spread

    def represent(self, batch: Triplets | None = None) -> tuple[Tensor, Tensor]:
        behaviour = self.behaviour(batch)
        return behaviour, self.fuser(behaviour, with_users(self.interactions, self.explicit(), batch))

    def loss(self, batch: Triplets) -> dict[str, Tensor]:
        config, items = self.config, self.explicit()
        users = torch.cat([self.user_ids.weight, *self.extended], dim=1)  # (U, D + M·D)
        together = torch.cat([users, torch.cat([self.item_ids.weight, *items], dim=1)])  # (N, D + M·D)
        nodes = self.take(propagate_mean(self.adjacency, together, config.num_layers), batch)
        behaviour, *extended = nodes.chunk(1 + len(items), dim=1)
        explicit = with_users(self.interactions, items, batch)  # the users being their histories
        side = self.fuser(behaviour, explicit)
        terms = ranking_terms(behaviour + side, config.reg_weight) | self.agreement(side, behaviour, batch)
        terms["user_reg"] = config.user_reg_weight * half_squares(*self.extended.index_select(1, batch.users))
        if config.user_weight:
            pairs = [[x[: len(batch)] for x in pair] for pair in zip(extended, explicit, strict=True)]
            terms["user"] = config.user_weight * sum_of(
                distinct_info_nce(wide, own, config.user_temperature, batch.users) for wide, own in pairs
            )
        if len(items) > 1 and config.alignment_weight:
            terms["alignment"] = config.alignment_weight * moment_distance(*with_users(self.interactions, items))
        return terms


def moment_distance(a: Tensor, b: Tensor) -> Tensor:
    """|Δ mean| + |Δ variance| of all entries of two tables."""
    return (a.mean() - b.mean()).abs() + (a.var() - b.var()).abs()


def joined_adjacency(train: Interactions, item_graphs: Sequence[SparseMatrix]) -> SparseMatrix:
    """D^-1/2 A D^-1/2, A the user-item graph with an edge from item to item where every item graph has one: (U+I, U+I).

    An item is not joined with itself. Neighbours are not mutual, so A is not symmetric; D are its row sums.
    """
    size, (users, items) = train.num_items, graph.distinct_pairs(train)
    items = items + train.num_users
    edges = torch.cat([r * size + c for r, c, _ in (g.entries() for g in item_graphs)])
    pairs, counts = torch.unique(edges, return_counts=True)
    pairs = pairs[counts == len(item_graphs)]
    near, far = torch.div(pairs, size, rounding_mode="floor"), pairs % size
    near, far = (end[near != far] + train.num_users for end in (near, far))
    rows, columns = torch.cat([users, items, near]), torch.cat([items, users, far])
    degree = torch.bincount(rows, minlength=train.num_users + size).float()
    scale = degree.clamp(min=1).rsqrt()  # a node without an edge of its own has no row
    return SparseMatrix.of(rows, columns, scale[rows] * scale[columns], (len(degree), len(degree)))
