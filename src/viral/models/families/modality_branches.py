"""What DualGNN, DRAGON, MENTOR and COHESION share: a branch of the user-item graph per modality, and the user graph.

Shapes: U users, I items, B batch, D embedding dimension of one branch, F features, P branches.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from viral import graph
from viral.base.recipe import check_least
from viral.data.interactions import Interactions, Triplets
from viral.graph.functions import Projection, unit_rows
from viral.models.base import Embeddings
from viral.models.families.content import ContentConfig


@dataclass(frozen=True, kw_only=True)
class BranchConfig(ContentConfig):
    """Sizes of the branches; defaults are the published ones."""

    embedding_dim: int = 64  # of each branch
    hidden_dim: int = 256
    num_layers: int = 2  # of the user-item graph
    reg_weight: float = 1e-3

    def __post_init__(self) -> None:
        check_least(self, embedding_dim=1, hidden_dim=1, num_layers=0, reg_weight=0)


class Branches(nn.Module):
    """Layer 0 of P branches: a free table of the users beside an encoding of the items' features."""

    def __init__(self, num_users: int, widths: Mapping[str, int], config: BranchConfig) -> None:
        super().__init__()
        hidden, dim = config.hidden_dim, config.embedding_dim
        self.encoders = nn.ModuleDict(
            {
                name: nn.Sequential(Projection(width, hidden), nn.LeakyReLU(), nn.Linear(hidden, dim))
                for name, width in widths.items()
            }
        )
        tables = [nn.init.xavier_normal_(torch.empty(num_users, dim)) for _ in widths]
        self.preferences = nn.Parameter(torch.stack(tables, dim=1))  # (U, P, D)

    def encode(self, features: Mapping[str, Tensor]) -> Tensor:
        """{branch: (I, F)} -> (I, P, D)."""
        return torch.stack([encoder(features[name]) for name, encoder in self.encoders.items()], dim=1)

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
        self.neighbors = graph.co_occurrence(train, k)
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


def of_triplets(embeddings: Embeddings, batch: Triplets) -> tuple[Tensor, Tensor, Tensor]:
    """Users, positives and negatives of a batch: (B, D) each."""
    return embeddings.users.index_select(0, batch.users), *of_pairs(embeddings.items, batch)


def of_pairs(items: Tensor, batch: Triplets) -> tuple[Tensor, Tensor]:
    """Positives and negatives of a batch: (B, D) each."""
    chosen, skipped = items.index_select(0, torch.cat([batch.positives, batch.negatives])).chunk(2)
    return chosen, skipped


def squares(tables: Tensor, weights: BranchWeights) -> Tensor:
    """Σ_p mean(P_p²) + mean(w²), the family's regulariser of the users' tables in a batch: (B, P, D) -> ()."""
    return tables.square().mean() * tables.shape[1] + weights.values.square().mean()


def columns(names: Sequence[str], dim: int) -> dict[str, tuple[int, int]]:
    """The columns that each branch has in the concatenation of all."""
    return {name: (p * dim, (p + 1) * dim) for p, name in enumerate(names)}
