"""The user-item graph, of which training sees another part in every epoch."""

from collections.abc import Callable

import torch
from torch import nn

from viral.data.interactions import Interactions
from viral.graph import SparseMatrix, bipartite_adjacency

Thin = Callable[[Interactions, float, torch.Generator], Interactions]


class ThinnedGraph(nn.Module):
    """The normalised user-item graph: whole in ranking; in training without a share of the interactions.

    ``thin`` draws those that an epoch keeps, and what is left is normalised anew.
    """

    def __init__(self, train: Interactions, dropout: float, thin: Thin) -> None:
        super().__init__()
        self.interactions, self.dropout, self.thin = train, dropout, thin
        self.full = self.of_epoch = bipartite_adjacency(train)

    def draw(self, rng: torch.Generator) -> None:
        """Choose the interactions of a new epoch."""
        if self.dropout:
            kept = self.thin(self.interactions, self.dropout, rng)
            self.of_epoch = bipartite_adjacency(kept).to(self.full.values)

    @property
    def adjacency(self) -> SparseMatrix:
        """That of the epoch while training: (U+I, U+I)."""
        return self.of_epoch if self.training else self.full


def uniformly(train: Interactions, dropout: float, rng: torch.Generator) -> Interactions:
    """Each interaction is kept with probability 1 - ρ."""
    kept = torch.rand(len(train), generator=rng) >= dropout
    return Interactions(train.users[kept], train.items[kept], train.num_users, train.num_items)
