"""BM3: representations that predict masked copies of each other, without negatives.

Zhou et al., "Bootstrap Latent Representations for Multi-modal Recommendation", WWW 2023,
https://arxiv.org/abs/2207.05969. Shapes: U users, I items, B batch, D embedding dimension, F features.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from viral import graph
from viral.base.errors import UsageError
from viral.base.recipe import check_least
from viral.data.inputs import ModelInputs
from viral.data.interactions import Triplets
from viral.graph.functions import embedding, norm_penalty, propagate_mean
from viral.models.base import EmbeddingRecommender, Embeddings
from viral.models.families.content import Content, ContentConfig
from viral.models.families.layers import linear


@dataclass(frozen=True, kw_only=True)
class BM3Config(ContentConfig):
    """Published best for Amazon Baby; ``train_features=True`` is the published code, which also learns the features."""

    embedding_dim: int = 64
    num_layers: int = 1
    dropout: float = 0.5  # of the copies that are to be predicted
    content_weight: float = 2.0  # of the terms with a modality
    reg_weight: float = 0.1
    train_features: bool = False

    def __post_init__(self) -> None:
        check_least(self, embedding_dim=1, num_layers=0, dropout=0, content_weight=0)
        if self.dropout >= 1:
            raise UsageError(f"dropout = {self.dropout} leaves nothing to predict", where=type(self).__name__)


class BM3(EmbeddingRecommender[BM3Config]):
    """s(u, i) = ⟨f(u), f(i)⟩: u and i of LightGCN (items with layer 0 once more, eq. 4), f a linear predictor."""

    Config = BM3Config
    SPACE: ClassVar = {
        "num_layers": (1, 2),
        "dropout": (0.3, 0.5),
        "reg_weight": (0.1, 0.01),
    }
    RANKING = frozenset({"interaction"})

    def __init__(self, inputs: ModelInputs, config: BM3Config) -> None:
        super().__init__(inputs, config)
        self.content = Content(inputs, config)
        features, dim = self.content.features, config.embedding_dim
        self.user_embedding, self.item_embedding = embedding(self.num_users, dim), embedding(self.num_items, dim)
        widths = {role: x.shape[1] for role, x in features.items()} if config.content_weight else {}
        self.projections = nn.ModuleDict({role: linear(width, dim) for role, width in widths.items()})
        learnt = widths if config.train_features else ()
        self.features = nn.ParameterDict({role: nn.Parameter(features[role].clone()) for role in learnt})
        self.predictor = linear(dim, dim)
        self.adjacency = graph.bipartite_adjacency(inputs.train)

    def represent(self) -> tuple[Tensor, Tensor]:
        """Users (U, D) and items (I, D) as the graph makes them."""
        ego = torch.cat([self.user_embedding.weight, self.item_embedding.weight])
        users, items = propagate_mean(self.adjacency, ego, self.config.num_layers).tensor_split([self.num_users])
        return users, items + self.item_embedding.weight

    def embed(self) -> Embeddings:
        users, items = self.represent()
        return Embeddings(self.predictor(users), self.predictor(items))

    def loss(self, batch: Triplets) -> dict[str, Tensor]:
        """The batch's negatives are not used."""
        config = self.config
        users, items = self.represent()
        views = [users.index_select(0, batch.users), items.index_select(0, batch.positives)]
        for role, projection in self.projections.items():
            x = self.features[role] if role in self.features else self.content.features[role]
            views.append(projection(x.index_select(0, batch.positives)))  # (B, D)
        stacked = torch.stack(views)  # (2 + M, B, D): user, item and the item's modalities
        targets = F.dropout(stacked.detach(), config.dropout, self.training)
        user, item, *modal = self.predictor(stacked)
        user_target, item_target, *modal_targets = targets
        terms = {"interaction": distance(user, item_target) + distance(item, user_target)}  # eq. 7
        for role, predicted, target in zip(self.projections, modal, modal_targets, strict=True):
            across, within = distance(predicted, item_target), distance(predicted, target)  # eq. 8 and 9
            terms[role] = config.content_weight * (across + within)
        terms["reg"] = config.reg_weight * norm_penalty(items, users)
        return terms


def distance(predicted: Tensor, target: Tensor) -> Tensor:
    """Mean of 1 - cos: (B, D), (B, D) -> ()."""
    return 1 - F.cosine_similarity(predicted, target, dim=-1).mean()
