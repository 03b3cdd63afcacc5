"""SOIL: graphs that add the items a user might have taken as well, and interest kept consistent by contrast.

Su et al., "SOIL: Contrastive Second-Order Interest Learning for Multimodal Recommendation", ACM MM 2024,
https://doi.org/10.1145/3664647.3681207. Published code: TL-UESTC/SOIL. Written from the paper; equations are its own.
Shapes: U users, I items, n rows, B batch, D embedding dimension, M modalities.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from viral import graph
from viral.base.recipe import check_least
from viral.data.inputs import ModelInputs
from viral.data.interactions import Triplets
from viral.graph.functions.infonce import distinct_info_nce
from viral.models.families.modality_views import (
    Graphs,
    Purifier,
    ViewConfig,
    ViewRecommender,
    attention,
    propagate_last,
    ranking_terms,
    sum_of,
    user_rows,
    with_users,
)
from viral.models.families.soil_graphs import augmented_adjacency, interest_graph, user_interests


@dataclass(frozen=True, kw_only=True)
class SOILConfig(ViewConfig):
    """Defaults are those of the authors' log for Baby, but for the temperature, which they do not name."""

    num_neighbors: int = 10  # k of eq. 9
    num_interests: int = 10  # k of eq. 7, by modality
    num_candidates: int = 2  # k of eq. 2
    interest_weight: float = 0.01  # λ_ui; ``contrast_weight`` is λ_ii

    def __post_init__(self) -> None:
        super().__post_init__()
        check_least(self, num_neighbors=1, num_interests=1, num_candidates=1, interest_weight=0)


class SOIL(ViewRecommender[SOILConfig]):
    """A node is its embedding on the augmented user-item graph plus those on the interest-aware item graphs."""

    Config = SOILConfig
    SPACE: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        "contrast_weight": (0.001, 0.01, 0.1),
        "interest_weight": (0.001, 0.01, 0.1),
        "num_interests": (5, 10, 15, 20),
        "num_neighbors": (5, 10, 15, 20),
        "num_candidates": (1, 2, 5, 10),
    }

    def __init__(self, inputs: ModelInputs, config: SOILConfig) -> None:
        super().__init__(inputs, config)
        train, features, dim = inputs.train, self.content.features, config.embedding_dim
        interests = user_interests(train, features, config.num_candidates, config.num_interests)
        self.adjacency = augmented_adjacency(train, interests)
        self.interactions = user_rows(self.adjacency, self.num_users)
        similar = {m: self.content.graph_of(m, graph.weighted_knn_graph, config.num_neighbors) for m in features}
        self.item_graphs = Graphs({m: interest_graph(train, interests, features[m], similar[m]) for m in features})
        self.purifiers = nn.ModuleDict({role: Purifier(x.shape[1], dim) for role, x in features.items()})
        self.attention = attention(dim, 1) if len(features) > 1 else None

    def modalities(self, batch: Triplets | None) -> list[Tensor]:
        """Each modality of the nodes: M times (n, D), eq. 11 to 13."""
        ids, config = self.item_ids.weight, self.config
        mapped = {role: self.purifiers[role](ids, x) for role, x in self.features.items()}
        items = [propagate_last(self.item_graphs[role], x, config.num_item_layers) for role, x in mapped.items()]
        return with_users(self.interactions, items, batch)

    def fuse(self, views: list[Tensor]) -> Tensor:
        """Σ_m (1 - α_m) x_m: M times (n, D) -> (n, D), eq. 14; a single modality as it is."""
        if self.attention is None:
            return views[0]
        shares = torch.cat([self.attention(view) for view in views], dim=1).softmax(dim=1)  # (n, M)
        return sum_of((1 - shares[:, m : m + 1]) * view for m, view in enumerate(views))

    def represent(self, batch: Triplets | None = None) -> tuple[Tensor, Tensor]:
        behaviour = self.behaviour(batch)
        return behaviour, self.fuse(self.modalities(batch))

    def loss(self, batch: Triplets) -> dict[str, Tensor]:
        config = self.config
        behaviour, side = self.represent(batch)
        nodes = behaviour + side
        terms = ranking_terms(nodes, config.reg_weight) | self.agreement(behaviour, side, batch)
        if config.interest_weight:  # eq. 15: a user's final embedding and each of the two views of what they took
            users, taken = nodes.chunk(3)[0], [view.chunk(3)[1] for view in (behaviour, side)]
            contrast = sum_of(
                distinct_info_nce(users, items, config.temperature, batch.positives, anchors_too=False)
                for items in taken
            )
            terms["interest"] = config.interest_weight * contrast
        return terms
