"""The item graph that LATTICE learns: neighbours by projected features, whose similarities carry gradients.

Zhang et al., "Mining Latent Structure for Multimedia Recommendation", ACM MM 2021, https://arxiv.org/abs/2104.09036.
Shapes: I items, M modalities, K neighbours, D embedding dimension.
"""

from collections.abc import Callable, Mapping
from typing import cast

import torch
from torch import Tensor, nn

from viral import graph
from viral.graph import SparseMatrix
from viral.graph.functions import Projection, unit_rows
from viral.graph.functions.edges import Edges
from viral.models.families.content import Content


class ItemGraph(nn.Module):
    """A: who is like whom by the features as they are (frozen) and by a projection of them (learnt)."""

    def __init__(self, content: Content, content_dim: int, num_neighbors: int, frozen_weight: float) -> None:
        super().__init__()
        self.content, self.num_neighbors, self.frozen_weight = content, num_neighbors, frozen_weight
        widths = content.widths
        self.projections = nn.ModuleDict({role: Projection(width, content_dim) for role, width in widths.items()})
        self.mix = nn.Parameter(torch.zeros(len(widths))) if len(widths) > 1 else None  # α before its softmax
        graphs = {role: content.graph_of(role, graph.weighted_knn_graph, num_neighbors) for role in content.names}
        self.frozen = cast("Mapping[str, SparseMatrix]", nn.ModuleDict(graphs))

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
