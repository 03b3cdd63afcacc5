"""DualGNN, DRAGON, MENTOR and COHESION: a branch of the user-item graph per modality, weighed by each user.

Shapes: U users, I items, B batch, D embedding dimension of one branch, F features, P branches.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn

from viral import graph
from viral.base.recipe import check_least
from viral.data.inputs import ModelInputs
from viral.data.interactions import Interactions, Triplets
from viral.graph.functions import bpr_loss_bits, dot, propagate_sum, unit_rows
from viral.models.base import EmbeddingRecommender, Embeddings
from viral.models.families.content import Content, ContentConfig
from viral.models.families.layers import encoder


@dataclass(frozen=True, kw_only=True)
class BranchConfig(ContentConfig):
    """Sizes of the branches; defaults are the published ones."""

    embedding_dim: int = 64  # of each branch
    hidden_dim: int = 256
    num_layers: int = 2  # of the user-item graph
    reg_weight: float = 1e-3

    def __post_init__(self) -> None:
        check_least(self, embedding_dim=1, hidden_dim=1, num_layers=0, reg_weight=0)


@dataclass(frozen=True, kw_only=True)
class TwoGraphConfig(BranchConfig):
    """With a frozen item graph and a user graph, as DRAGON has them."""

    num_neighbors: int = 10  # of the item graph
    visual_weight: float = 0.1  # of the item graph
    num_user_neighbors: int = 40
    resample_user_graph: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check_least(self, num_neighbors=1, visual_weight=0, num_user_neighbors=0)


class Branches(nn.Module):
    """Layer 0 of P branches: a free table of the users beside an encoding of the items' features."""

    def __init__(self, num_users: int, widths: Mapping[str, int], config: BranchConfig) -> None:
        super().__init__()
        hidden, dim = config.hidden_dim, config.embedding_dim
        self.encoders = nn.ModuleDict({name: encoder(width, hidden, dim) for name, width in widths.items()})
        tables = [nn.init.xavier_normal_(torch.empty(num_users, dim)) for _ in widths]
        self.preferences = nn.Parameter(torch.stack(tables, dim=1))  # (U, P, D)

    def encode(self, features: Mapping[str, Tensor]) -> Tensor:
        """{branch: (I, F)} -> (I, P, D)."""
        return torch.stack([encode(features[name]) for name, encode in self.encoders.items()], dim=1)

    def beside(self, items: Tensor) -> Tensor:
        """Users and items, each branch at unit length: (I, P, D) -> (U+I, P·D)."""
        return unit_rows(torch.cat([self.preferences, items])).flatten(1)

    def forward(self, features: Mapping[str, Tensor]) -> Tensor:
        """Layer 0: {branch: (I, F)} -> (U+I, P·D)."""
        return self.beside(self.encode(features))


class BranchWeights(nn.Module):
    """What each branch counts to each user: free numbers that start at a softmax of noise, about 1/P."""

    def __init__(self, num_users: int, num_branches: int) -> None:
        super().__init__()
        self.values = nn.Parameter(nn.init.xavier_normal_(torch.empty(num_users, num_branches)).softmax(dim=1))

    def forward(self, users: Tensor) -> Tensor:
        """(U, P·D) -> (U, P·D)."""
        return (users.unflatten(1, (self.values.shape[1], -1)) * self.values[:, :, None]).flatten(1)


class UserGraph(nn.Module):
    """Adds to each user the users of most common items: u + A_u u (DualGNN, Wang et al., TMM 2021).

    With ``resample`` short lists are padded to k anew each epoch while training, as the published code of the family
    does; ranking always uses the unpadded lists.
    """

    def __init__(self, train: Interactions, k: int, *, resample: bool) -> None:
        super().__init__()
        self.k, self.resample = k, resample
        self.neighbors = graph.user_neighbors(train, k)
        self.full = self.of_epoch = graph.user_graph(self.neighbors, k)

    def draw(self, rng: torch.Generator) -> None:
        """Pad for a new epoch."""
        if self.resample:
            self.of_epoch = graph.resampled_user_graph(self.neighbors, self.k, rng).to(self.full.values)

    def forward(self, users: Tensor, chosen: Tensor | None = None) -> Tensor:
        """(U, D) -> (U, D), or of the users ``chosen`` (n,) alone -> (n, D)."""
        neighbors = self.of_epoch if self.training else self.full
        if chosen is None:
            return users + neighbors @ users
        return users.index_select(0, chosen) + neighbors.rows(chosen) @ users


BranchT = TypeVar("BranchT", bound=BranchConfig)


class BranchRecommender(EmbeddingRecommender[BranchT]):
    """What the family builds; how users and items are made of their branches is each model's own.

    ``loss`` is BPR and the family's regulariser.
    """

    def __init__(self, inputs: ModelInputs, config: BranchT) -> None:
        super().__init__(inputs, config)
        self.content = Content(inputs, config)
        self.adjacency = graph.bipartite_adjacency(inputs.train)
        self.build_branches()

    def build_branches(self) -> None:
        """One of each modality."""
        self.add_branches(self.content.widths)

    def add_branches(self, widths: Mapping[str, int]) -> None:
        """Branches of items with features (I, F), and the users' weights of them."""
        self.branches = Branches(self.num_users, widths, self.config)
        self.branch_weights = BranchWeights(self.num_users, len(widths))

    def propagate(self) -> tuple[Tensor, Tensor]:
        """Users (U, P·D) and items (I, P·D): Σ_l Âˡ X, branch beside branch."""
        ego = self.branches(self.content.features)
        users, items = propagate_sum(self.adjacency, ego, self.config.num_layers).tensor_split([self.num_users])
        return users, items

    @abstractmethod
    def represent(self, chosen: Tensor | None = None) -> Embeddings:
        """Every item, and every user or those ``chosen`` (n,)."""

    def embed(self) -> Embeddings:
        return self.represent()

    def loss(self, batch: Triplets) -> dict[str, Tensor]:
        u, items = self.represent(batch.users)
        chosen, skipped = of_pairs(items, batch)
        return {"bpr": bpr_loss_bits(dot(u, chosen), dot(u, skipped)), "reg": self.penalty(batch)}

    def penalty(self, batch: Triplets, first: int = 0) -> Tensor:
        """Σ_p mean(P_p²) + mean(w²) of the users' tables in a batch, from the ``first`` branch on; weighted."""
        tables = self.branches.preferences.index_select(0, batch.users)[:, first:]  # (B, P, D)
        squares = tables.square().mean() * tables.shape[1] + self.branch_weights.values.square().mean()
        return self.config.reg_weight * squares

    @property
    def parts(self) -> Mapping[str, tuple[int, int]]:
        return columns(tuple(self.branches.encoders), self.config.embedding_dim)


def of_pairs(items: Tensor, batch: Triplets) -> tuple[Tensor, Tensor]:
    """Positives and negatives of a batch: (B, D) each."""
    chosen, skipped = items.index_select(0, torch.cat([batch.positives, batch.negatives])).chunk(2)
    return chosen, skipped


def columns(names: Sequence[str], dim: int) -> dict[str, tuple[int, int]]:
    """The columns that each branch has in the concatenation of all."""
    return {name: (p * dim, (p + 1) * dim) for p, name in enumerate(names)}
