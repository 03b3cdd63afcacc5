"""A model's vectors and the memory in one score: what ranks once training is over.

The memory is a linear item-item model in closed form that reads the same features (:mod:`viral.models.baselines.l3ae`).
Beside the vectors' scores it counts w, both told in spreads over items; w is chosen on validation by Recall@20 +
NDCG@20, and where it is 0 the model ranks alone. Shapes: U users, I items.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from viral.base.errors import UsageError
from viral.base.progress import stage
from viral.base.recipe import MemoryConfig, TrainConfig
from viral.data.inputs import ModelInputs
from viral.data.splitting import Split
from viral.evaluation import evaluate
from viral.graph import SparseMatrix
from viral.graph.blocks import row_blocks
from viral.models.base import Recommender
from viral.models.families.closed_form import fits_dense, item_weights
from viral.models.families.local_weights import local_weights
from viral.models.scorers import (
    EmbeddingScorer,
    HistoryScorer,
    ItemWeightScorer,
    MemoryScorer,
    Scorer,
    SparseHistoryScorer,
    scales_of,
)
from viral.training.objectives import ranker_of

WEIGHTS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)
FEATURE_WEIGHTS = (30.0, 100.0)  # β; of many items the last alone, as each takes minutes
MANY_ITEMS, KEPT = 5_000, 200  # above so many items, so many weights of each
CANDIDATES = 200  # of an item, where all by all is too large
CHOSEN_BY = ("recall@20", "ndcg@20")  # their sum
EVEN, DOUBT = 0.5, 0.5  # the weight that is preferred where validation is in doubt; standard errors of doubt


class Ranker(NamedTuple):
    """What ranks, and what was chosen of the memory: empty where there is none."""

    scorer: Scorer
    memory: dict[str, Any]


def finish(
    model: Recommender[Any], inputs: ModelInputs, split: Split, train: TrainConfig, memory: MemoryConfig
) -> Ranker:
    """The scorer of a trained model, with the memory that ``memory`` asks for; nothing in both is left to the model."""
    scorer = ranker_of(model, train)
    if memory.kind == "off":
        return Ranker(scorer, {})
    vectors = scorer.vectors
    if model.trainable is None or vectors is None:
        raise UsageError(
            f"{type(model).__name__} has no vectors that a memory could stand beside",
            where="[memory] kind",
            hint="take a model that learns by gradient, or --set memory.kind=off",
        )
    return remember(
        EmbeddingScorer(vectors.users, vectors.items, vectors.parts), inputs, split, memory, model.reads
    )  # fmt: skip


class Tried(NamedTuple):
    """A weight of one memory, its value on validation for every user (n,), and what would rank."""

    weight: float
    feature_weight: float
    values: Tensor
    scorer: Scorer


def remember(
    scorer: EmbeddingScorer, inputs: ModelInputs, split: Split, config: MemoryConfig, modalities: Sequence[str]
) -> Ranker:
    """``scorer`` with the memory that validation chooses (:func:`choose`); without it where that is none."""
    names = tuple(config.features if config.features is not None else modalities)
    tried_betas = FEATURE_WEIGHTS if inputs.train.num_items <= MANY_ITEMS else FEATURE_WEIGHTS[-1:]
    betas = _given(config.feature_weight, tried_betas) if names else (0.0,)
    spread, tried = float(spreads(scorer).mean()), list[Tried]()
    with stage("memory: choose on validation" if len(split.valid) else "memory", len(betas)) as advance:
        for beta in betas:
            history = memory_of(inputs, replace(config, feature_weight=beta), names)
            own = _scales(history)
            for weight in _given(config.weight, WEIGHTS):
                found = MemoryScorer(scorer, history, own * (weight * spread), weight * spread)
                values = _values(found, split) if len(split.valid) else torch.zeros(1)
                tried.append(Tried(weight, beta, values, found if weight else scorer))
            advance(1)
    best = choose(tried) if len(split.valid) else tried[0]
    told = {"kind": config.kind, "features": list(names), "weight": best.weight, "feature_weight": best.feature_weight}
    return Ranker(best.scorer, told)


def choose(tried: Sequence[Tried]) -> Tried:
    """Of the weights that are no worse than the best by half a standard error over users, the one nearest to ½.

    Between weights that validation can hardly tell apart its noise would decide, and both the vectors and the memory
    have something to say.
    A memory that changes nothing for anybody is left out.
    """
    best = max(tried, key=lambda one: float(one.values.mean()))
    close = [one for one in tried if _in_doubt(best.values - one.values)]
    without = [one.values for one in close if not one.weight][:1]
    close = [one for one in close if not one.weight or not any(torch.equal(one.values, values) for values in without)]
    return min(close, key=lambda one: (_from_even(one.weight), -float(one.values.mean())))


def _in_doubt(behind: Tensor) -> bool:
    """Whether values (n,) behind the best could be so by chance."""
    return float(behind.mean()) <= DOUBT * float(behind.std(correction=0)) / len(behind) ** 0.5


def _from_even(weight: float) -> float:
    """How many times w is to be doubled or halved to count what the vectors do; none is farther than a fourth."""
    return abs(math.log2(weight / EVEN)) if weight else 2.5


def fixed(config: MemoryConfig, chosen: dict[str, Any]) -> MemoryConfig:
    """The configuration that has no choice left: what :func:`finish` told of an earlier training."""
    named = {name: chosen[name] for name in ("weight", "feature_weight") if name in chosen}
    return replace(config, **named)


def memory_of(inputs: ModelInputs, config: MemoryConfig, names: Sequence[str]) -> ItemWeightScorer:
    """The item-item weights of :func:`viral.models.families.closed_form.item_weights`, of the modalities ``names``.

    An item keeps the ``neighbors`` largest of what it says for others: by default all, or of many items ``KEPT``, which
    costs nothing on validation and is a small part of the size (docs/models/viral.md). Where the dense matrix would
    be too large, they are solved item by item over ``neighbors`` candidates
    (:mod:`viral.models.families.local_weights`), ``CANDIDATES`` where it is None.
    """
    offsets, items = inputs.train.rows()
    if not fits_dense(inputs.train.num_items):
        found = local_weights(inputs, names, config.neighbors or CANDIDATES, config)
        return SparseHistoryScorer(offsets, items, found)
    weights = item_weights(inputs, names, config)
    kept = config.neighbors or (KEPT if len(weights) > MANY_ITEMS else len(weights))
    if kept >= len(weights):
        return HistoryScorer(offsets, items, weights)
    return SparseHistoryScorer(offsets, items, largest(weights, kept))


def largest(weights: Tensor, count: int) -> SparseMatrix:
    """The ``count`` largest of each row by absolute value: (I, I) dense to sparse."""
    columns = torch.cat([weights[rows].abs().topk(count, dim=1).indices for rows in row_blocks(*weights.shape)])
    columns = columns.sort(dim=1).values
    offsets = torch.arange(len(weights) + 1) * count
    return SparseMatrix(offsets, columns.flatten(), weights.gather(1, columns).flatten(), weights.shape[1])


def spreads(scorer: EmbeddingScorer) -> Tensor:
    """The standard deviation of each user's scores over all items, √(uᵀ Cov(v) u): (U,)."""
    moments = torch.cov(scorer.items.T, correction=0).reshape(scorer.items.shape[1], -1)
    return ((scorer.users @ moments) * scorer.users).sum(dim=1).clamp(min=0).sqrt()


def _scales(history: ItemWeightScorer) -> Tensor:
    """One over the spread of each user's sums: (U,)."""
    users = torch.arange(history.num_users)
    return torch.cat([scales_of(history(users[rows]), 1.0) for rows in row_blocks(len(users), history.num_items)])


def _values(scorer: Scorer, split: Split) -> Tensor:
    """Recall@20 + NDCG@20 of each user with something in validation: (n,)."""
    found = evaluate(scorer, split.valid, split.train, (20,), metrics=("recall", "ndcg")).per_user
    return torch.stack([found[name] for name in CHOSEN_BY]).sum(dim=0)


def _given(value: float | None, candidates: tuple[float, ...]) -> tuple[float, ...]:
    return candidates if value is None else (value,)
