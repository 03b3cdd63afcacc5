"""SLMRec: one graph per modality, trained to tell a user's item from the batch's, and modalities of an item apart.

Tao et al., "Self-supervised Learning for Multimedia Recommendation", IEEE Transactions on Multimedia 2022,
https://doi.org/10.1109/TMM.2022.3187556, with its task FAC (fine and coarse spaces, after Alayrac et al.,
NeurIPS 2020). Shapes: U users, I items, B batch, D embedding dimension, M modalities.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from viral import graph
from viral.base.recipe import check_least
from viral.data.inputs import ModelInputs
from viral.data.interactions import Triplets
from viral.graph.functions import Projection, embedding, propagate_mean, propagate_mean_rows
from viral.graph.functions.infonce import distinct_info_nce
from viral.models.base import EmbeddingRecommender, Embeddings
from viral.models.families.content import Content, ContentConfig


@dataclass(frozen=True, kw_only=True)
class SLMRecConfig(ContentConfig):
    """Published grids hold ``ssl_weight``, ``ssl_temperature``; the published code also decays weights by 1e-4."""

    embedding_dim: int = 64
    num_layers: int = 3
    temperature: float = 0.2  # of the main loss
    ssl_weight: float = 0.1
    ssl_temperature: float = 0.2

    def __post_init__(self) -> None:
        check_least(self, embedding_dim=1, num_layers=0, temperature=1e-6, ssl_weight=0, ssl_temperature=1e-6)


class SLMRec(EmbeddingRecommender[SLMRecConfig]):
    """s(u, i) = ⟨W_u [u_id | u_m …], W_i [i_id | i_m …]⟩, all branches sharing one table of users."""

    Config = SLMRecConfig
    SPACE: ClassVar = {
        "learning_rate": (1e-4, 1e-3, 1e-2),
        "weight_decay": (0.0, 1e-4),
        "ssl_weight": (0.01, 0.05, 0.1, 0.5, 1.0),
        "ssl_temperature": (0.1, 0.2, 0.5, 1.0),
    }
    RANKING = frozenset({"contrast"})

    def __init__(self, inputs: ModelInputs, config: SLMRecConfig) -> None:
        super().__init__(inputs, config)
        self.content = Content(inputs, config, normalize=True)
        widths, dim = self.content.widths, config.embedding_dim
        self.user_embedding, self.item_embedding = embedding(self.num_users, dim), embedding(self.num_items, dim)
        self.projections = nn.ModuleDict({role: Projection(width, dim) for role, width in widths.items()})
        joined = (1 + len(widths)) * dim
        self.fuse_users, self.fuse_items = nn.Linear(joined, dim), nn.Linear(joined, dim)
        contrasted = widths if config.ssl_weight else ()
        self.inward = nn.ModuleDict({role: nn.Linear(dim, dim) for role in contrasted})
        # a bias here would move all of a row's logits alike
        self.across = nn.ModuleDict({role: nn.Linear(dim, dim, bias=False) for role in contrasted})
        self.adjacency = graph.bipartite_adjacency(inputs.train)

    def ego(self) -> tuple[Tensor, Tensor]:
        """Layer 0 of every branch, side by side: users (U, (1 + M)·D), items (I, (1 + M)·D)."""
        projected = [projection(self.content.features[role]) for role, projection in self.projections.items()]
        items = torch.cat([self.item_embedding.weight, *projected], dim=1)
        return self.user_embedding.weight.repeat(1, 1 + len(projected)), items

    def embed(self) -> Embeddings:
        nodes = propagate_mean(self.adjacency, torch.cat(self.ego()), self.config.num_layers)
        users, items = nodes.tensor_split([self.num_users])
        return Embeddings(self.fuse_users(users), self.fuse_items(items))

    def loss(self, batch: Triplets) -> dict[str, Tensor]:
        """The batch's other positives are the negatives; its sampled negatives are not used."""
        config, rows = self.config, batch.positives
        (users, chosen), _ = propagate_mean_rows(self.adjacency, self.ego(), config.num_layers, (batch.users, rows))
        u, i = self.fuse_users(users), self.fuse_items(chosen)
        terms = {"contrast": distinct_info_nce(u, i, config.temperature, rows, anchors_too=False)}
        inner, *views = chosen.split(config.embedding_dim, dim=1)  # id, then the modalities
        for (role, inward), view in zip(self.inward.items(), views, strict=False):
            inner = inward(inner)  # from the fine space, id with the first modality, on to the coarser with the next
            # which of these belongs to which of those, by inner products
            choice = distinct_info_nce(inner, self.across[role](view), config.ssl_temperature, rows, cosine=False)
            terms[role] = config.ssl_weight * choice
        return terms
