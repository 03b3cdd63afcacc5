"""VBPR: matrix factorisation whose items also carry a learnt projection of their features.

He & McAuley, "VBPR: Visual Bayesian Personalized Ranking from Implicit Feedback", AAAI 2016,
https://arxiv.org/abs/1510.01784; with several modalities their features are concatenated, as the published benchmark
does. Shapes: U users, I items, B batch, D embedding dimension, F features of all modalities.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from viral.base.recipe import check_least
from viral.data.inputs import ModelInputs
from viral.data.interactions import Triplets
from viral.graph.functions import bpr_loss, dot, embedding, norm_penalty
from viral.models.base import EmbeddingRecommender, Embeddings
from viral.models.families.content import Content, ContentConfig


@dataclass(frozen=True, kw_only=True)
class VBPRConfig(ContentConfig):
    """``biases=False`` is the published benchmark's form, without the β of the paper's eq. 4."""

    embedding_dim: int = 64  # of the ids, and once more of the content
    biases: bool = True  # an item's β_i + β'ᵀ x_i
    normalize: bool = False  # each modality's features to unit length; published: as they come
    reg_weight: float = 1e-2

    def __post_init__(self) -> None:
        check_least(self, embedding_dim=1, reg_weight=0)


class VBPR(EmbeddingRecommender[VBPRConfig]):
    """s(u, i) = ⟨γ_u, γ_i⟩ + ⟨θ_u, E x_i⟩ + β_i + β'ᵀ x_i (eq. 4, less what ranks nothing: α and β_u)."""

    Config = VBPRConfig
    SPACE: ClassVar = {
        "reg_weight": (2.0, 1.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5),
        "biases": (True, False),
        "normalize": (False, True),
    }
    item_bias: nn.Parameter | None
    content_bias: nn.Parameter | None

    def __init__(self, inputs: ModelInputs, config: VBPRConfig) -> None:
        super().__init__(inputs, config)
        self.content = Content(inputs, config, normalize=config.normalize)
        width, dim = sum(x.shape[1] for x in self.content.features.values()), config.embedding_dim
        self.user_embedding = embedding(self.num_users, 2 * dim)  # [γ | θ]
        self.item_embedding = embedding(self.num_items, dim)
        self.projection = nn.Linear(width, dim, bias=False)  # a bias would raise all of a user's scores alike
        nn.init.xavier_uniform_(self.projection.weight)
        self.item_bias = nn.Parameter(torch.zeros(self.num_items)) if config.biases else None
        self.content_bias = nn.Parameter(torch.zeros(width)) if config.biases else None

    def represent(self, items: Tensor) -> Tensor:
        """[γ_i | E x_i | bias]: (B,) -> (B, 2·D + 1), or (B, 2·D) without biases."""
        x = torch.cat([values.index_select(0, items) for values in self.content.features.values()], dim=1)  # (B, F)
        columns = [self.item_embedding.weight.index_select(0, items), self.projection(x)]
        if self.item_bias is not None and self.content_bias is not None:
            columns.append((self.item_bias.index_select(0, items) + x @ self.content_bias)[:, None])
        return torch.cat(columns, dim=1)

    def beside(self, users: Tensor) -> Tensor:
        """The users' vectors, with a 1 that meets the items' biases."""
        return F.pad(users, (0, 1), value=1.0) if self.config.biases else users

    def embed(self) -> Embeddings:
        every = torch.arange(self.num_items, device=self.item_embedding.weight.device)
        return Embeddings(self.beside(self.user_embedding.weight), self.represent(every))

    def loss(self, batch: Triplets) -> dict[str, Tensor]:
        users = self.user_embedding.weight.index_select(0, batch.users)  # (B, 2·D)
        chosen, skipped = self.represent(torch.cat([batch.positives, batch.negatives])).chunk(2)
        u = self.beside(users)
        return {
            "bpr": bpr_loss(dot(u, chosen), dot(u, skipped)),
            "reg": self.config.reg_weight * norm_penalty(users, chosen, skipped),
        }

    @property
    def parts(self) -> Mapping[str, tuple[int, int]]:
        dim = self.config.embedding_dim
        bias = {"bias": (2 * dim, 2 * dim + 1)} if self.config.biases else {}
        return {"id": (0, dim), "content": (dim, 2 * dim)} | bias
