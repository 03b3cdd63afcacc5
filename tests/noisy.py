"""A model outside the zoo: plain factorisation with dropout, so that its training needs the global random state."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from viral.data.inputs import ModelInputs
from viral.data.interactions import Triplets
from viral.graph.functions import bpr_loss, dot, embedding
from viral.models import EmbeddingRecommender, Embeddings


@dataclass(frozen=True, kw_only=True)
class NoisyConfig:
    """How much is dropped, and what the loss is multiplied by."""

    dropout: float = 0.5
    scale: float = 1.0


class Noisy(EmbeddingRecommender[NoisyConfig]):
    """Dropout on the users' vectors."""

    Config = NoisyConfig

    def __init__(self, inputs: ModelInputs, config: NoisyConfig) -> None:
        super().__init__(inputs, config)
        self.users = embedding(self.num_users, 8)
        self.items = embedding(self.num_items, 8)

    def embed(self) -> Embeddings:
        return Embeddings(F.dropout(self.users.weight, self.config.dropout, self.training), self.items.weight)

    def loss(self, batch: Triplets) -> dict[str, Tensor]:
        users, items = self.embed()
        u = users[batch.users]
        scale = torch.tensor(self.config.scale)
        return {"bpr": scale * bpr_loss(dot(u, items[batch.positives]), dot(u, items[batch.negatives]))}


not_a_model = 3
