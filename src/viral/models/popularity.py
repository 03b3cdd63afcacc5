"""Popularity: every user is shown what most users took. The baseline that any model must beat."""

from dataclasses import dataclass

import torch

from viral.data import ModelInputs
from viral.models.base import EmbeddingScorer, Recommender


@dataclass(frozen=True, kw_only=True)
class PopularityConfig:
    """Nothing to choose."""


class Popularity(Recommender[PopularityConfig]):
    """s(u, i) = number of training interactions of i, over the largest such number."""

    Config = PopularityConfig

    def __init__(self, inputs: ModelInputs, config: PopularityConfig) -> None:
        super().__init__(inputs, config)
        degrees = inputs.train.item_degrees().float()  # (I,)
        self.popularity = degrees / degrees.max().clamp(min=1)

    def scorer(self) -> EmbeddingScorer:
        return EmbeddingScorer(torch.ones(self.num_users, 1), self.popularity[:, None])
