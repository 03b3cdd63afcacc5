"""GRCN: content decides how much each interaction is to be believed, and the graph is refined by it.

Wei et al., "Graph-Refined Convolutional Network for Multimedia Recommendation with Implicit Feedback", ACM MM 2020,
https://arxiv.org/abs/2008.10256. Shapes: U users, I items, N = U + I nodes, E interactions, B batch, D embedding
dimension of a branch, F features, M modalities.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from viral import graph
from viral.base.recipe import check_least
from viral.data.inputs import ModelInputs
from viral.data.interactions import Triplets
from viral.graph.functions import Projection, bpr_loss, dot, unit_rows
from viral.graph.functions.edges import Edges
from viral.models.base import EmbeddingRecommender, Embeddings
from viral.models.families.content import Content, ContentConfig
from viral.models.families.layers import linear
from viral.models.families.modality_branches import columns


@dataclass(frozen=True, kw_only=True)
class GRCNConfig(ContentConfig):
    """Published settings; the published numbers go with ``num_routings=0``, to which their code comes down."""

    embedding_dim: int = 64  # of each branch
    num_routings: int = 3  # steps in which a user's prototype attends to the history
    num_layers: int = 2  # of the ids, on the refined graph
    reg_weight: float = 1e-3

    def __post_init__(self) -> None:
        check_least(self, embedding_dim=1, num_routings=0, num_layers=1, reg_weight=0)


class GRCN(EmbeddingRecommender[GRCNConfig]):
    """s(u, i) = ⟨u, i⟩ over [id | visual | text]: ids on the refined graph, and each modality's own view."""

    Config = GRCNConfig
    SPACE: ClassVar = {
        "learning_rate": (1e-4, 1e-3, 1e-2),
        "reg_weight": (1e-5, 1e-4, 1e-3, 1e-2, 0.1),
    }

    def __init__(self, inputs: ModelInputs, config: GRCNConfig) -> None:
        super().__init__(inputs, config)
        self.content = Content(inputs, config)
        num_nodes, dim = self.num_users + self.num_items, config.embedding_dim
        self.ids = nn.Parameter(nn.init.xavier_normal_(torch.empty(num_nodes, dim)))
        views = {role: View(self.num_users, x.shape[1], config) for role, x in self.content.features.items()}
        self.views = cast("Mapping[str, View]", nn.ModuleDict(views))
        self.confidence = nn.Parameter(torch.ones(num_nodes, len(views)))  # as a source of messages
        rows, columns, _ = graph.bipartite_adjacency(inputs.train).entries()
        self.edges = Edges(rows, columns, (num_nodes, num_nodes))  # both directions
        of_users = rows < self.num_users
        self.histories = Edges(rows[of_users], columns[of_users] - self.num_users, (self.num_users, self.num_items))

    def represent(self) -> list[Tensor]:
        """Each branch of all nodes, ids first: 1 + M times (N, D)."""
        content, affinities = [], []
        for role, view in self.views.items():
            nodes, affinity = view(self.content.features[role], self.histories, self.edges)
            content.append(nodes)
            affinities.append(affinity)
        sources = [confidence.index_select(0, self.edges.columns) for confidence in self.confidence.unbind(dim=1)]
        trusted = torch.stack([a * c for a, c in zip(affinities, sources, strict=True)], dim=1)  # (2E, M)
        weights = trusted.amax(dim=1).relu()  # an edge that no modality supports is pruned
        total = layer = unit_rows(self.ids)
        for _ in range(self.config.num_layers):
            layer = self.edges.sum(weights, layer)
            total = total + layer
        return [total, *content]

    def embed(self) -> Embeddings:
        return Embeddings(*torch.cat(self.represent(), dim=1).split([self.num_users, self.num_items]))

    def loss(self, batch: Triplets) -> dict[str, Tensor]:
        rows = torch.cat([batch.users, batch.positives + self.num_users, batch.negatives + self.num_users])
        nodes = torch.cat([branch.index_select(0, rows) for branch in self.represent()], dim=1)
        u, chosen, skipped = nodes.chunk(3)  # (B, (1 + M)·D) each
        ids = self.ids.index_select(0, rows)
        tables = [view.preferences.index_select(0, batch.users) for view in self.views.values()]
        squares = torch.stack([table.square().mean() for table in (ids, *tables)]).sum()
        return {"bpr": bpr_loss(dot(u, chosen), dot(u, skipped)), "reg": self.config.reg_weight * squares}

    @property
    def parts(self) -> Mapping[str, tuple[int, int]]:
        return columns(("id", *self.views), self.config.embedding_dim)


class View(nn.Module):
    """One modality: its representation of every node, and how strongly it supports every edge."""

    def __init__(self, num_users: int, in_dim: int, config: GRCNConfig) -> None:
        super().__init__()
        self.num_routings = config.num_routings
        self.projection = linear(in_dim, config.embedding_dim, of=Projection)
        self.preferences = nn.Parameter(nn.init.xavier_normal_(torch.empty(num_users, config.embedding_dim)))

    def forward(self, features: Tensor, histories: Edges, edges: Edges) -> tuple[Tensor, Tensor]:
        """Nodes (N, D) and affinities (2E,) from features (I, F)."""
        items = unit_rows(F.leaky_relu(self.projection(features)))
        users = unit_rows(self.preferences)
        for _ in range(self.num_routings):  # a user's prototype moves towards the items most like it (eq. 3, 4)
            attention = histories.softmax(histories.dot(users, items))
            users = unit_rows(users + histories.sum(attention, items))
        nodes = torch.cat([users, items])
        affinities = edges.softmax(edges.dot(nodes, nodes))
        return nodes + edges.sum(affinities, nodes), affinities
