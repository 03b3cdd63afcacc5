"""FREEDOM: LightGCN on a thinned user-item graph, and a frozen item graph over the features.

Zhou & Shen, "A Tale of Two Graphs: Freezing and Denoising Graph Structures for Multimodal Recommendation",
ACM MM 2023, https://arxiv.org/abs/2211.06924.
Shapes: U users, I items, E interactions, B batch, D embedding dimension, F features.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from viral import graph
from viral.base.errors import UsageError
from viral.base.recipe import check_least
from viral.data.inputs import ModelInputs
from viral.data.interactions import Interactions, Triplets
from viral.graph.functions import bpr_triplets, dot, embedding, propagate_mean, propagate_mean_rows
from viral.models.base import EmbeddingRecommender, Embeddings
from viral.models.families.content import Content, ContentConfig
from viral.models.families.edge_dropout import ThinnedGraph


@dataclass(frozen=True, kw_only=True)
class FREEDOMConfig(ContentConfig):
    """Published settings; ``train_features=True`` is the published code's form, which also learns the raw features."""

    embedding_dim: int = 64
    num_layers: int = 2  # of the user-item graph
    num_item_layers: int = 1  # of the item graph
    num_neighbors: int = 10
    visual_weight: float = 0.1  # of the item graph
    edge_dropout: float = 0.8  # ρ, the share of interactions left out in an epoch
    content_weight: float = 1e-4  # λ
    train_features: bool = False

    def __post_init__(self) -> None:
        check_least(self, embedding_dim=1, num_layers=0, num_item_layers=0, num_neighbors=1, visual_weight=0)
        check_least(self, edge_dropout=0, content_weight=0)
        if self.edge_dropout >= 1:
            raise UsageError(f"edge_dropout = {self.edge_dropout} leaves no interaction", where=type(self).__name__)


class FREEDOM(EmbeddingRecommender[FREEDOMConfig]):
    """Users LG(id), items LG(id) + S id; content enters by S and by a BPR term of its own."""

    Config = FREEDOMConfig
    SPACE: ClassVar = {
        "edge_dropout": (0.8, 0.9),
        "content_weight": (0.0, 1e-5, 1e-4, 1e-3),
    }

    def __init__(self, inputs: ModelInputs, config: FREEDOMConfig) -> None:
        super().__init__(inputs, config)
        self.content = Content(inputs, config)
        self.user_embedding = embedding(self.num_users, config.embedding_dim)
        self.item_embedding = embedding(self.num_items, config.embedding_dim)
        features = self.content.features
        widths = {role: x.shape[1] for role, x in features.items()} if config.content_weight else {}
        # without a bias, which would raise all of a user's scores alike
        self.projections = nn.ModuleDict(
            {role: nn.Linear(width, config.embedding_dim, bias=False) for role, width in widths.items()}
        )
        learnt = widths if config.train_features else ()
        self.features = nn.ParameterDict({role: nn.Parameter(features[role].clone()) for role in learnt})
        self.item_graph = self.content.item_graph(config.num_neighbors, config.visual_weight)
        self.interactions = ThinnedGraph(inputs.train, config.edge_dropout, thinned)

    def on_epoch_start(self, rng: torch.Generator) -> None:
        """Keep the epoch's share of the interactions, normalised anew."""
        self.interactions.draw(rng)

    def embed(self) -> Embeddings:
        adjacency = self.interactions.adjacency
        ego = torch.cat([self.user_embedding.weight, self.item_embedding.weight])  # (U+I, D)
        users, items = propagate_mean(adjacency, ego, self.config.num_layers).tensor_split([self.num_users])
        return Embeddings(users, items + self.similar())

    def similar(self) -> Tensor:
        """What similar items lend each item, S id: (I, D)."""
        lent = self.item_embedding.weight
        for _ in range(self.config.num_item_layers):
            lent = self.item_graph @ lent
        return lent

    def loss(self, batch: Triplets) -> dict[str, Tensor]:
        adjacency = self.interactions.adjacency
        rows = torch.cat([batch.positives, batch.negatives])
        ego = self.user_embedding.weight, self.item_embedding.weight
        (u, items), _ = propagate_mean_rows(adjacency, ego, self.config.num_layers, (batch.users, rows))
        chosen, skipped = (items + self.similar().index_select(0, rows)).chunk(2)  # (B, D) each, as u
        terms = {"bpr": bpr_triplets(u, chosen, skipped)}
        for role, projection in self.projections.items():
            x = self.features[role] if role in self.features else self.content.features[role]
            # ⟨u, W x⁺⟩ - ⟨u, W x⁻⟩ by one product instead of two
            apart = x.index_select(0, batch.positives) - x.index_select(0, batch.negatives)  # (B, F)
            terms[role] = -self.config.content_weight * F.logsigmoid(dot(u, projection(apart))).mean()
        return terms


def thinned(train: Interactions, dropout: float, rng: torch.Generator) -> Interactions:
    """(1 - ρ) E of the distinct pairs, drawn without replacement with weights 1/√(d_u d_i).

    Popular pairs go first. The draw takes the earliest of exponential clocks whose rates are the weights, one random
    number a pair (Efraimidis & Spirakis, 2006); at least one pair is kept.
    """
    users, items = graph.distinct_pairs(train)
    degrees = torch.bincount(users)[users].double() * torch.bincount(items)[items].double()
    clocks = -torch.log1p(-torch.rand(len(users), generator=rng, dtype=torch.float64)) * degrees.sqrt()
    kept = clocks.topk(max(1, round(len(users) * (1 - dropout))), largest=False).indices
    return Interactions(users[kept], items[kept], train.num_users, train.num_items)
