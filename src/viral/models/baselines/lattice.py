"""LATTICE: an item graph learnt from the features, beside LightGCN.

Zhang et al., "Mining Latent Structure for Multimedia Recommendation", ACM MM 2021, https://arxiv.org/abs/2104.09036.
Shapes: U users, I items, N = U + I nodes, B batch, D embedding dimension, M modalities, K neighbours.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, cast

import torch
from torch import Tensor, nn

from viral import graph
from viral.base.errors import UsageError
from viral.base.recipe import check_least
from viral.data.inputs import ModelInputs
from viral.data.interactions import Triplets
from viral.graph import Bipartite, SparseMatrix
from viral.graph.functions import Projection, bpr_triplets, embedding, propagate_mean, propagate_mean_rows, unit_rows
from viral.graph.functions.edges import Edges
from viral.models.base import EmbeddingRecommender, Embeddings
from viral.models.families.content import Content, ContentConfig


@dataclass(frozen=True, kw_only=True)
class LATTICEConfig(ContentConfig):
    """Published settings; the published code's own numbers go with both switches on."""

    embedding_dim: int = 64
    content_dim: int = 64  # of the projected features, whose neighbours make the learnt graph
    num_layers: int = 2  # of the user-item graph
    num_item_layers: int = 1
    num_neighbors: int = 10
    frozen_weight: float = 0.9  # λ, the share of the graph over the features as they are
    reg_weight: float = 1e-4
    first_batch_only: bool = False  # the item graph is learnt in the first batch of an epoch, and kept for the others
    row_normalized: bool = False  # (D + 1)^-1 (A + 1) in place of D^-1/2 A D^-1/2

    def __post_init__(self) -> None:
        check_least(self, embedding_dim=1, content_dim=1, num_layers=0, num_item_layers=1, num_neighbors=1)
        if not 0 <= self.frozen_weight < 1:
            raise UsageError(f"frozen_weight = {self.frozen_weight} leaves no graph to learn", where="LATTICEConfig")


class LATTICE(EmbeddingRecommender[LATTICEConfig]):
    """Users LG(id), items LG(id) + h / ‖h‖ with h = A id; A = Σ_m α_m [λ S(x_m) + (1 - λ) S(W_m x_m)] (eq. 2 to 12)."""

    Config = LATTICEConfig
    kept_graph: SparseMatrix | None
    SPACE: ClassVar = {
        "learning_rate": (1e-4, 5e-4, 1e-3, 5e-3),
        "reg_weight": (0.0, 1e-5, 1e-4, 1e-3),
        "decay": (1.0, 0.96),
    }

    def __init__(self, inputs: ModelInputs, config: LATTICEConfig) -> None:
        super().__init__(inputs, config)
        self.user_embedding = embedding(self.num_users, config.embedding_dim)
        self.item_embedding = embedding(self.num_items, config.embedding_dim)
        self.items = ItemGraph(Content(inputs, config), config.content_dim, config.num_neighbors, config.frozen_weight)
        adjacency = graph.bipartite_adjacency(inputs.train)
        self.adjacency = row_means(adjacency) if config.row_normalized else adjacency
        self.on_epoch_start(torch.Generator())

    def on_epoch_start(self, rng: torch.Generator) -> None:
        """Choose the neighbours by the projected features as they are now; nothing is drawn."""
        self.edges, self.first = self.items.neighbors(), True
        self.kept_graph = self.items.kept(self.edges) if self.config.first_batch_only else None

    def beside(self, item_graph: Callable[[Tensor], Tensor]) -> Tensor:
        """The h of every item (I, D), given what multiplies by A."""
        h = self.item_embedding.weight
        for _ in range(self.config.num_item_layers):
            h = item_graph(h)
        return h

    def embed(self) -> Embeddings:
        ego = torch.cat([self.user_embedding.weight, self.item_embedding.weight])  # (N, D)
        users, items = propagate_mean(self.adjacency, ego, self.config.num_layers).tensor_split([self.num_users])
        return Embeddings(users, items + unit_rows(self.beside(self.items.learnt(self.items.neighbors()))))

    def of_batch(self, users: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
        """LG(id) of some users and items: (n,), (m,) -> (n, D), (m, D)."""
        ego, num_layers = (self.user_embedding.weight, self.item_embedding.weight), self.config.num_layers
        if isinstance(self.adjacency, Bipartite):
            found, _ = propagate_mean_rows(self.adjacency, ego, num_layers, (users, items))
            return found[0], found[1]
        rows = torch.cat([users, items + self.num_users])
        (nodes,), _ = propagate_mean_rows(self.adjacency, (torch.cat(ego),), num_layers, (rows,))
        return nodes[: len(users)], nodes[len(users) :]

    def loss(self, batch: Triplets) -> dict[str, Tensor]:
        kept = None if self.first else self.kept_graph
        self.first = False
        h = self.beside(self.items.learnt(self.edges) if kept is None else kept.__matmul__)
        rows = torch.cat([batch.positives, batch.negatives])
        u, items = self.of_batch(batch.users, rows)
        chosen, skipped = (items + unit_rows(h.index_select(0, rows))).chunk(2)  # (B, D)
        squares = (u.square().sum() + chosen.square().sum() + skipped.square().sum()) / (2 * len(batch))
        return {"bpr": bpr_triplets(u, chosen, skipped), "reg": self.config.reg_weight * squares}


def row_means(adjacency: SparseMatrix) -> SparseMatrix:
    """(D + 1)^-1 (A + 1) of the graph under a normalised adjacency: a node is the mean of its neighbours and itself."""
    rows, columns, values = adjacency.entries()
    own = torch.arange(adjacency.shape[0])
    rows, columns = torch.cat([rows, own]), torch.cat([columns, own])
    weights = torch.bincount(rows).reciprocal().to(values.dtype)
    return SparseMatrix.of(rows, columns, weights[rows], adjacency.shape)


class ItemGraph(nn.Module):
    """A: who is like whom by the features as they are (frozen) and by a projection of them (learnt).

    The neighbours are those of the moment; the similarities carry gradients.
    """

    def __init__(self, content: Content, content_dim: int, num_neighbors: int, frozen_weight: float) -> None:
        super().__init__()
        self.content, self.num_neighbors, self.frozen_weight = content, num_neighbors, frozen_weight
        widths = content.widths
        self.projections = nn.ModuleDict({role: Projection(width, content_dim) for role, width in widths.items()})
        self.mix = nn.Parameter(torch.zeros(len(widths))) if len(widths) > 1 else None  # α before its softmax
        graphs = nn.ModuleDict(content.graphs(num_neighbors, graph.weighted_knn_graph))
        self.frozen = cast("Mapping[str, SparseMatrix]", graphs)

    @torch.no_grad()
    def neighbors(self) -> Mapping[str, Edges]:
        """From every item to its K nearest by the projected features, for each role."""
        edges = {}
        for role, x in self.content.features.items():
            present = self.content.present(role)
            cosines, near = graph.nearest_neighbors(self.projections[role](x), self.num_neighbors, present)  # (I, K)
            rows, places = (cosines > -torch.inf).nonzero(as_tuple=True)
            edges[role] = Edges(rows, near[rows, places], (len(near), len(near)))
        return cast("Mapping[str, Edges]", nn.ModuleDict(edges))  # which moves with the model

    def weights(self, edges: Mapping[str, Edges]) -> tuple[dict[str, Tensor], Tensor]:
        """Normalised cosines along the edges, {role: (I·K,)}, and the roles' shares α (M,): both with gradients."""
        weights = {}
        for role, x in self.content.features.items():
            unit = unit_rows(self.projections[role](x))
            weights[role] = edges[role].laplacian(edges[role].dot(unit, unit).clamp(min=0))
        return weights, unit.new_ones(1) if self.mix is None else self.mix.softmax(dim=0)

    def learnt(self, edges: Mapping[str, Edges]) -> Callable[[Tensor], Tensor]:
        """What multiplies by A, (I, D) -> (I, D), with gradients to projections and shares."""
        (weights, shares), kept = self.weights(edges), self.frozen_weight

        def multiply(h: Tensor) -> Tensor:
            of_roles = [kept * (self.frozen[m] @ h) + (1 - kept) * edges[m].sum(weights[m], h) for m in weights]
            return (torch.stack(of_roles) * shares[:, None, None]).sum(dim=0)

        return multiply

    @torch.no_grad()
    def kept(self, edges: Mapping[str, Edges]) -> SparseMatrix:
        """A as it is now, as a constant (I, I)."""
        weights, shares = self.weights(edges)
        graphs: dict[str, SparseMatrix] = {}
        of_graphs: dict[str, float] = {}
        for role, share in zip(weights, shares.tolist(), strict=True):
            e = edges[role]
            learnt = SparseMatrix(e.offsets, e.columns, weights[role], e.shape[1])
            graphs |= {role: self.frozen[role], f"{role} learnt": learnt}
            of_graphs |= {role: share * self.frozen_weight, f"{role} learnt": share * (1 - self.frozen_weight)}
        return graph.weighted_sum(graphs, of_graphs)
