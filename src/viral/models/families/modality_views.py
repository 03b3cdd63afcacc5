"""MGCN, SMORE, GUME and SOIL: features purified by behaviour, and two views of every node held together.

Behaviour is what the ids learn on the user-item graph; the side view is what the items' modalities add to it. Shapes:
U users, I items, B batch, n rows, D embedding dimension, F features, M modalities.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar, cast

import torch
from torch import Tensor, nn

from viral.base.recipe import check_least
from viral.data.inputs import ModelInputs
from viral.data.interactions import Triplets
from viral.graph import Bipartite, SparseMatrix
from viral.graph.functions import (
    Projection,
    bpr_loss,
    dot,
    embedding,
    half_squares,
    propagate_mean,
    propagate_mean_rows,
    sum_of,
)
from viral.graph.functions.infonce import distinct_info_nce
from viral.models.base import EmbeddingRecommender, Embeddings
from viral.models.families.content import Content, ContentConfig
from viral.models.families.layers import attention


@dataclass(frozen=True, kw_only=True)
class ViewConfig(ContentConfig):
    """The numbers that the family has in common."""

    embedding_dim: int = 64
    num_layers: int = 2  # of the user-item graph
    num_item_layers: int = 1  # of the item graphs
    reg_weight: float = 1e-4
    contrast_weight: float = 0.01  # of the agreement of behaviour and side view
    temperature: float = 0.2
    learn_features: bool = False  # the raw features are parameters too; the item graphs stay as they are

    def __post_init__(self) -> None:
        check_least(self, embedding_dim=1, num_layers=0, num_item_layers=0, reg_weight=0)
        check_least(self, contrast_weight=0, temperature=1e-6)


ViewT = TypeVar("ViewT", bound=ViewConfig)


class ViewRecommender(EmbeddingRecommender[ViewT]):
    """score(u, i) = ⟨u, i⟩ with every node the sum of its two views, which :meth:`represent` computes."""

    adjacency: SparseMatrix  # the user-item graph of the model, (U+I, U+I)
    sides_differ: ClassVar[bool] = False  # whether a node that a batch has twice may have two side views

    def __init__(self, inputs: ModelInputs, config: ViewT) -> None:
        super().__init__(inputs, config)
        self.content = Content(inputs, config)
        learnt = self.content.features if config.learn_features else {}
        self.learnt = nn.ParameterDict({role: nn.Parameter(x.clone()) for role, x in learnt.items()})
        self.user_ids = embedding(self.num_users, config.embedding_dim)
        self.item_ids = embedding(self.num_items, config.embedding_dim)

    @property
    def features(self) -> dict[str, Tensor]:
        """{role: (I, F)}, as given or as learnt."""
        return {role: self.learnt.get(role, x) for role, x in self.content.features.items()}

    @property
    def ego(self) -> Tensor:
        """The ids of users and items, layer 0: (U+I, D)."""
        return torch.cat([self.user_ids.weight, self.item_ids.weight])

    @abstractmethod
    def represent(self, batch: Triplets | None = None) -> tuple[Tensor, Tensor]:
        """Behaviour and side view of the nodes of a batch, (3B, D) each, or of all U+I, users first."""

    def embed(self) -> Embeddings:
        behaviour, side = self.represent()
        users, items = (behaviour + side).tensor_split([self.num_users])
        return Embeddings(users, items)

    def behaviour(self, batch: Triplets | None) -> Tensor:
        """What the ids learn on the user-item graph: of a batch's users, positives, negatives (3B, D), or of all."""
        num_layers = self.config.num_layers
        if batch is None or not isinstance(self.adjacency, Bipartite):
            return self.take(propagate_mean(self.adjacency, self.ego, num_layers), batch)
        ego = self.user_ids.weight, self.item_ids.weight
        rows = batch.users, torch.cat([batch.positives, batch.negatives])
        return torch.cat(propagate_mean_rows(self.adjacency, ego, num_layers, rows)[0])

    def take(self, nodes: Tensor, batch: Triplets | None) -> Tensor:
        """Of all nodes (U+I, D) those of a batch, users, then positives, then negatives (3B, D); or all."""
        if batch is None:
            return nodes
        items = torch.cat([batch.positives, batch.negatives])
        return nodes.index_select(0, torch.cat([batch.users, items + self.num_users]))

    def loss(self, batch: Triplets) -> dict[str, Tensor]:
        behaviour, side = self.represent(batch)
        return ranking_terms(behaviour + side, self.config.reg_weight) | self.agreement(side, behaviour, batch)

    def agreement(self, side: Tensor, behaviour: Tensor, batch: Triplets) -> dict[str, Tensor]:
        """InfoNCE from the side view of the batch's users and positives to their behaviour, within the batch."""
        if not self.config.contrast_weight:
            return {}
        rows = (batch.users, batch.positives)  # the negatives take no part
        pairs = zip(side.chunk(3), behaviour.chunk(3), rows, strict=False)
        alike, temperature = not self.sides_differ, self.config.temperature
        contrast = sum_of(distinct_info_nce(a, b, temperature, r, anchors_too=alike) for a, b, r in pairs)
        return {"contrast": self.config.contrast_weight * contrast}


class Purifier(nn.Module):
    """e ⊙ σ(W₂(W₁x + b₁) + b₂): of an item's features, what its id, and so behaviour, asks for (MGCN's purifier)."""

    def __init__(self, width: int, dim: int) -> None:
        super().__init__()
        self.project, self.gate = Projection(width, dim), nn.Linear(dim, dim)

    def forward(self, ids: Tensor, features: Tensor) -> Tensor:
        """(I, D), (I, F) -> (I, D)."""
        return ids * torch.sigmoid(self.gate(self.project(features)))


class Purifiers(nn.ModuleDict):
    """A purifier of each modality."""

    def __init__(self, widths: Mapping[str, int], dim: int) -> None:
        super().__init__({role: Purifier(width, dim) for role, width in widths.items()})

    def forward(self, ids: Tensor, features: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """(I, D), {role: (I, F)} -> {role: (I, D)}."""
        return {role: self[role](ids, x) for role, x in features.items()}


class Fuser(nn.Module):
    """What the modalities share, and of what each has alone the part that behaviour prefers: their mean.

    shared = Σ_m α_m x_m, α = softmax_m(qᵀ tanh(W x_m + b)); own_m = σ(W_m behaviour + b_m) ⊙ (x_m - shared)
    (MGCN's behaviour-aware fuser). A single modality has nothing to share with another: it is returned as it is.
    """

    def __init__(self, dim: int, roles: Sequence[str]) -> None:
        super().__init__()
        several = len(roles) > 1
        self.attention: nn.Module = attention(dim, 1) if several else nn.Identity()
        self.preferences = nn.ModuleList(nn.Linear(dim, dim) for _ in roles if several)

    def forward(self, behaviour: Tensor, views: Sequence[Tensor]) -> Tensor:
        """(n, D) and M times (n, D) -> (n, D)."""
        if not self.preferences:
            return views[0]
        shares = torch.cat([self.attention(view) for view in views], dim=1).softmax(dim=1)  # (n, M)
        shared = sum_of(shares[:, m : m + 1] * view for m, view in enumerate(views))
        gates = [torch.sigmoid(preference(behaviour)) for preference in self.preferences]
        own = sum_of(gate * (view - shared) for gate, view in zip(gates, views, strict=True))
        return (own + shared) / (len(views) + 1)


class ItemGraphs(nn.ModuleDict):
    """Item graphs (I, I) by name."""

    def __getitem__(self, key: str) -> SparseMatrix:
        return cast(SparseMatrix, super().__getitem__(key))

    def forward(self, items: Mapping[str, Tensor], num_layers: int) -> list[Tensor]:
        """The last of some layers on the graph of each name: {name: (I, D)} -> M times (I, D)."""
        return [propagate_last(self[name], x, num_layers) for name, x in items.items()]


def user_rows(adjacency: SparseMatrix, num_users: int) -> SparseMatrix:
    """The users' rows of a user-item graph over all nodes: (U+I, U+I) -> (U, I)."""
    rows, columns, values = adjacency.entries()
    kept = rows < num_users
    shape = (num_users, adjacency.shape[0] - num_users)
    return SparseMatrix.of(rows[kept], columns[kept] - num_users, values[kept], shape)


def propagate_last(adjacency: SparseMatrix, nodes: Tensor, num_layers: int) -> Tensor:
    """Âᴸ X: the last layer alone, (N, D) -> (N, D)."""
    for _ in range(num_layers):
        nodes = adjacency @ nodes
    return nodes


def with_users(interactions: SparseMatrix, items: Sequence[Tensor], batch: Triplets | None = None) -> list[Tensor]:
    """Each modality's items with the users, who are their histories: M times (I, D) -> M times (U+I, D).

    Of a batch only its users, positives and negatives are formed: M times (3B, D).
    """
    columns = torch.cat(list(items), dim=1) if len(items) > 1 else items[0]
    if batch is None:
        nodes = torch.cat([interactions @ columns, columns])
    else:
        chosen = columns.index_select(0, torch.cat([batch.positives, batch.negatives]))
        nodes = torch.cat([interactions.rows(batch.users) @ columns, chosen])
    return list(nodes.chunk(len(items), dim=1))


def ranking_terms(nodes: Tensor, reg_weight: float) -> dict[str, Tensor]:
    """BPR and ½ Σ ‖·‖² / B over the final representations of a batch: users, positives, negatives (3B, D)."""
    users, chosen, skipped = nodes.chunk(3)
    return {
        "bpr": bpr_loss(dot(users, chosen), dot(users, skipped)),
        "reg": reg_weight * half_squares(users, chosen, skipped),
    }
