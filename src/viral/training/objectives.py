"""What a step of training minimises, and over which batch: the model's own terms, or a softmax over users' items.

Shapes: U users, I items, B users or triplets of a batch, E pairs of its users, D embedding dimension.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from viral.base.recipe import TrainConfig
from viral.data.interactions import Interactions, Triplets
from viral.data.sampling import TripletSampler
from viral.graph.functions import unit_rows
from viral.graph.functions.softmax import softmax_loss
from viral.models.base import EmbeddingRecommender, Recommender
from viral.models.scorers import Scorer

MOST_LOGITS = 1 << 24  # of a step, above which items are drawn to stand for all
DRAWN = 2048


class TrainingStep(NamedTuple):
    """Named terms whose sum is minimised, and the share of the epoch that they are the mean of."""

    terms: dict[str, Tensor]
    share: float


class Objective(Protocol):
    """One epoch of steps."""

    num_skipped: int  # interactions that cannot be trained on

    def epoch(self, rng: torch.Generator) -> Iterator[TrainingStep]: ...


class OwnLoss:
    """The model's own terms over shuffled triplets."""

    def __init__(self, model: EmbeddingRecommender[Any], train: Interactions, config: TrainConfig) -> None:
        self.model, self.sampler, self.batch_size = model, TripletSampler(train), config.batch_size
        self.num_skipped = self.sampler.num_skipped

    def epoch(self, rng: torch.Generator) -> Iterator[TrainingStep]:
        """Every pair once, with one negative each."""
        device = next(self.model.parameters()).device
        for batch in self.sampler.epoch(self.batch_size, rng):
            yield TrainingStep(self.model.loss(batch.to(device)), len(batch) / len(self.sampler))


class SoftmaxLoss:
    """A softmax of cosines over items for every pair of a batch of users (:mod:`viral.graph.functions.softmax`).

    The other terms of the model's own loss stay, over one triplet of each user of the batch.
    """

    def __init__(self, model: EmbeddingRecommender[Any], train: Interactions, config: TrainConfig) -> None:
        self.model, self.config = model, config
        self.triplets = TripletSampler(train)
        self.num_skipped = self.triplets.num_skipped
        self.offsets, self.items = train.rows()
        lengths = self.offsets.diff()
        there = int((train.item_degrees() > 0).sum())
        self.users = ((lengths > 0) & (lengths < there)).nonzero().squeeze(1)
        self.num_pairs = int(lengths[self.users].sum())

    def epoch(self, rng: torch.Generator) -> Iterator[TrainingStep]:
        """Every user once, with all pairs of theirs."""
        device = next(self.model.parameters()).device
        for users in self.users[torch.randperm(len(self.users), generator=rng)].split(self.config.batch_size):
            rows, positives = pairs_of(users, self.offsets, self.items)
            drawn = self._drawn(len(users), rng)
            found, items = self.model.embed()
            loss = softmax_loss(
                unit_rows(found.index_select(0, users.to(device))),
                unit_rows(items),
                rows.to(device),
                positives.to(device),
                self.config.temperature,
                candidates=None if drawn is None else drawn.to(device),
            )
            more = self.model.side_terms(partial(self._triplets, users, rng))
            yield TrainingStep({"softmax": loss} | more, len(positives) / self.num_pairs)

    def _drawn(self, num_users: int, rng: torch.Generator) -> Tensor | None:
        """Items that stand for all, (n,), or None."""
        num_items = self.model.num_items
        count = self.config.sampled_items or (DRAWN if num_users * num_items > MOST_LOGITS else num_items)
        return torch.randperm(num_items, generator=rng)[:count] if count < num_items else None

    def _triplets(self, users: Tensor, rng: torch.Generator) -> Triplets:
        """One pair of each user (B,) at random, with a negative."""
        lengths = self.offsets.diff()[users]
        places = (torch.rand(len(users), generator=rng) * lengths).long().clamp_(max=lengths - 1)
        found = Triplets(users, self.items[self.offsets[users] + places], self.triplets.negatives(users, rng))
        return found.to(next(self.model.parameters()).device)


def objective_of(model: EmbeddingRecommender[Any], train: Interactions, config: TrainConfig) -> Objective:
    """What ``config.loss`` names; ``config`` has nothing left to the model."""
    return (SoftmaxLoss if config.loss == "softmax" else OwnLoss)(model, train, config)


def ranker_of(model: Recommender[Any], config: TrainConfig) -> Scorer:
    """What ranks for a model that was trained so: its scorer, by cosines where the loss was of cosines."""
    scorer = model.scorer()
    return scorer.by_cosine() if config.loss == "softmax" else scorer


def pairs_of(users: Tensor, offsets: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
    """The row among ``users`` (B,) and the item of every pair of theirs, from compressed rows: (E,), (E,)."""
    lengths = offsets.diff()[users]
    shifts = (offsets[users] - (lengths.cumsum(0) - lengths)).repeat_interleave(lengths)
    rows = torch.arange(len(users)).repeat_interleave(lengths)
    return rows, items[torch.arange(len(shifts)) + shifts]
