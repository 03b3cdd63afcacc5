"""SMORE: modalities denoised and fused in the frequency domain, behind MGCN's graphs and gates.

Ong & Khong, "Spectrum-based Modality Representation Fusion Graph Convolutional Network for Multimodal
Recommendation", WSDM 2025, https://arxiv.org/abs/2412.14978. Published code: kennethorq/SMORE.
Shapes: U users, I items, n rows, D embedding dimension, K = ⌊D/2⌋ + 1 frequencies, F features, M modalities.
"""

from dataclasses import dataclass
from functools import reduce
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from viral import graph
from viral.base.errors import UsageError
from viral.base.recipe import check_least
from viral.data.inputs import ModelInputs
from viral.data.interactions import Triplets
from viral.graph import SparseMatrix
from viral.graph.functions import Projection, sum_of
from viral.models.families.layers import attention
from viral.models.families.modality_views import (
    ItemGraphs,
    ViewConfig,
    ViewRecommender,
    user_rows,
    with_users,
)

FUSION = "fusion"


@dataclass(frozen=True, kw_only=True)
class SMOREConfig(ViewConfig):
    """Defaults are the published best for Baby."""

    num_layers: int = 4
    num_neighbors: int = 15  # of the text's item graph
    num_visual_neighbors: int = 40
    dropout: float = 0.1  # of the preference gates

    def __post_init__(self) -> None:
        super().__post_init__()
        check_least(self, num_neighbors=1, num_visual_neighbors=1, dropout=0)
        if self.dropout >= 1:
            raise UsageError(f"dropout = {self.dropout} leaves no preference", where=type(self).__name__)


class SMORE(ViewRecommender[SMOREConfig]):
    """The side view is the mean of each denoised modality and of their product, as behaviour prefers them."""

    Config = SMOREConfig
    sides_differ = True  # by dropout
    SPACE: ClassVar = {
        "num_layers": (3, 4),
        "num_neighbors": (10, 15, 20, 40),
        "num_visual_neighbors": (10, 15, 20, 40),
        "reg_weight": (1e-5, 1e-4),
        "contrast_weight": (0.01, 0.03),
        "dropout": (0.0, 0.1),
    }

    def __init__(self, inputs: ModelInputs, config: SMOREConfig) -> None:
        super().__init__(inputs, config)
        dim, roles = config.embedding_dim, self.content.names
        self.adjacency = graph.bipartite_adjacency(inputs.train)
        self.interactions = user_rows(self.adjacency, self.num_users)
        sizes = {"text": config.num_neighbors, "visual": config.num_visual_neighbors}
        self.item_graphs = ItemGraphs({m: self.content.graph_of(m, graph.weighted_knn_graph, sizes[m]) for m in roles})
        self.item_graphs[FUSION] = largest([self.item_graphs[role] for role in roles])
        self.projections = nn.ModuleDict({role: Projection(width, dim) for role, width in self.content.widths.items()})
        self.views = (*roles, FUSION)
        self.filters = nn.ParameterDict({view: nn.Parameter(torch.randn(dim // 2 + 1, 2)) for view in self.views})
        self.gates = nn.ModuleDict({view: nn.Linear(dim, dim) for view in self.views})
        self.queries = nn.ModuleDict({role: attention(dim, dim) for role in roles})
        self.preferences = nn.ModuleDict({view: nn.Linear(dim, dim) for view in self.views})

    def denoise(self) -> dict[str, Tensor]:
        """Each modality, and the product of all, filtered by frequency: {view: (I, D)} (spectrum modality fusion)."""
        projected = {role: self.projections[role](x) for role, x in self.features.items()}
        spectra = {role: torch.fft.rfft(x, dim=1, norm="ortho") for role, x in projected.items()}  # (I, K)
        spectra[FUSION] = reduce(torch.mul, spectra.values())
        return {
            view: torch.fft.irfft(
                spectrum * torch.view_as_complex(self.filters[view]), n=self.config.embedding_dim, dim=1, norm="ortho"
            )
            for view, spectrum in spectra.items()
        }

    def spread(self, batch: Triplets | None) -> dict[str, Tensor]:
        """The views of the nodes, purified by behaviour: {view: (n, D)}."""
        purified = {
            view: self.item_ids.weight * torch.sigmoid(self.gates[view](x)) for view, x in self.denoise().items()
        }
        items = self.item_graphs(purified, self.config.num_item_layers)
        return dict(zip(self.views, with_users(self.interactions, items, batch), strict=True))

    def represent(self, batch: Triplets | None = None) -> tuple[Tensor, Tensor]:
        behaviour = self.behaviour(batch)
        views = self.spread(batch)
        for role, query in self.queries.items():  # what the fusion attends to, dimension by dimension
            views[role] = query(views[FUSION]).softmax(dim=1) * views[role]
        gates = {view: torch.sigmoid(self.preferences[view](behaviour)) for view in self.views}
        preferred = [F.dropout(gates[v], self.config.dropout, self.training) * views[v] for v in self.views]
        return behaviour, sum_of(preferred) / len(self.views)


def largest(graphs: list[SparseMatrix]) -> SparseMatrix:
    """The element-wise maximum of matrices without negative entries."""
    size = graphs[0].shape
    rows, columns, values = (torch.cat(parts) for parts in zip(*(g.entries() for g in graphs), strict=True))
    keys, places = torch.unique(rows * size[1] + columns, return_inverse=True)
    top = values.new_zeros(len(keys)).scatter_reduce_(0, places, values, "amax")
    return SparseMatrix.of(torch.div(keys, size[1], rounding_mode="floor"), keys % size[1], top, size)
