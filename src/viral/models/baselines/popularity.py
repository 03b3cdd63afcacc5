"""Popularity: every user is shown what most users chose. The baseline that any model must beat."""

from dataclasses import dataclass

from torch import Tensor

from viral.data.inputs import ModelInputs
from viral.models.base import Recommender
from viral.models.scorers import EmbeddingScorer


@dataclass(frozen=True, kw_only=True)
class PopularityConfig:
    """Nothing to choose."""


class Popularity(Recommender[PopularityConfig]):
    """s(u, i) = number of training interactions of i, over the largest such number."""

    Config = PopularityConfig
    popularity: Tensor  # (I,)

    def __init__(self, inputs: ModelInputs, config: PopularityConfig) -> None:
        super().__init__(inputs, config)
        degrees = inputs.train.item_degrees().float()  # (I,)
        self.register_buffer("popularity", degrees / degrees.max().clamp(min=1), persistent=False)

    def scorer(self) -> EmbeddingScorer:
        return EmbeddingScorer(self.popularity.new_ones(self.num_users, 1), self.popularity[:, None])
