"""Content-only nearest neighbours: an item is recommended for looking or reading like the history.

The content-based baseline of Lops et al., "Content-based Recommender Systems: State of the Art and Trends", in
Recommender Systems Handbook, 2011: nothing is learnt, and what other users do is not looked at. What a multimodal model
adds to it is what it learnt of choices. Shapes: U users, I items, F features.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from viral import graph
from viral.base.errors import UsageError
from viral.base.recipe import check_least
from viral.data.inputs import ModelInputs
from viral.graph import SparseMatrix
from viral.models.families.content import Content, ContentConfig
from viral.models.families.item_item import HistoryRecommender
from viral.models.scorers import EmbeddingScorer, SparseHistoryScorer


@dataclass(frozen=True, kw_only=True)
class ContentKNNConfig(ContentConfig):
    """``num_neighbors=None`` sums over the whole history."""

    num_neighbors: int | None = 100
    visual_weight: float = 0.1

    def __post_init__(self) -> None:
        check_least(self, num_neighbors=1)
        if not 0 <= self.visual_weight <= 1:
            raise UsageError(f"visual_weight = {self.visual_weight} is not a share, 0 to 1", where="ContentKNNConfig")


class ContentKNN(HistoryRecommender[ContentKNNConfig]):
    """s(u, i) = Σ_{j ∈ N_u ∩ kNN(i)} Σ_m w_m cos(x_m,i, x_m,j)."""

    Config = ContentKNNConfig
    SPACE: ClassVar = {
        "num_neighbors": (10, 30, 100, 300, None),
        "visual_weight": (0.1, 0.3, 0.5),
    }
    directions: Tensor  # (I, ΣF): ⟨directions_i, directions_j⟩ = Σ_m w_m cos(x_m,i, x_m,j)

    def __init__(self, inputs: ModelInputs, config: ContentKNNConfig) -> None:
        super().__init__(inputs, config)
        content = Content(inputs, config, normalize=True)
        shares = content.shares(config.visual_weight)
        weighted = [x * shares[role] ** 0.5 for role, x in content.features.items()]
        self.register_buffer("directions", torch.cat(weighted, dim=1), persistent=False)

    def scorer(self) -> EmbeddingScorer | SparseHistoryScorer:
        if self.config.num_neighbors is None:
            profiles = F.embedding_bag(
                self.items, self.directions, self.offsets, mode="sum", include_last_offset=True
            )  # (U, ΣF): the sum over a history
            return EmbeddingScorer(profiles, self.directions)
        similarities, neighbors = graph.nearest_neighbors(self.directions, self.config.num_neighbors + 1)
        similarities[:, 0] = -torch.inf  # the item itself
        items, places = (similarities > -torch.inf).nonzero(as_tuple=True)
        shape = (self.num_items, self.num_items)
        weights = SparseMatrix.of(neighbors[items, places], items, similarities[items, places], shape)
        return SparseHistoryScorer(self.offsets, self.items, weights)
