"""A model's vectors and the memory in one score: what ranks once training is over.

The memory is a linear item-item model in closed form that reads the same features (:mod:`viral.models.l3ae`). Beside
the vectors' scores it counts w, both told in spreads over items; w is chosen on validation by Recall@20 + NDCG@20, and
where the best w is 0 the model ranks alone. Shapes: U users, I items.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from viral.data import ModelInputs, Split
from viral.errors import UsageError
from viral.evaluation import evaluate
from viral.graph import SparseMatrix
from viral.graph.blocks import row_blocks
from viral.models.base import EmbeddingRecommender, EmbeddingScorer, HistoryScorer, Recommender, Scorer
from viral.models.gram import fits_dense
from viral.models.item_weights import SparseHistoryScorer
from viral.models.l3ae import item_weights
from viral.models.local_weights import local_weights
from viral.models.memory import MemoryScorer, scales_of
from viral.objectives import ranker_of
from viral.progress import stage
from viral.recipe import MemoryConfig, TrainConfig

WEIGHTS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)
FEATURE_WEIGHTS = (30.0, 100.0)  # β
MANY_ITEMS, KEPT = 5_000, 200  # above so many items, so many weights of each
CANDIDATES = 200  # of an item, where all by all is too large
CHOSEN_BY = ("recall@20", "ndcg@20")  # their sum


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
    if not isinstance(model, EmbeddingRecommender) or not isinstance(scorer, EmbeddingScorer):
        raise UsageError(
            f"{type(model).__name__} has no vectors that a memory could stand beside",
            where="[memory] kind",
            hint="take a model that learns by gradient, or --set memory.kind=off",
        )
    return remember(scorer, inputs, split, memory, model.reads)


def remember(
    scorer: EmbeddingScorer, inputs: ModelInputs, split: Split, config: MemoryConfig, modalities: Sequence[str]
) -> Ranker:
    """``scorer`` with the memory of the greatest value on validation; without it where none is better than nothing."""
    names = tuple(config.features if config.features is not None else modalities)
    betas = _given(config.feature_weight, FEATURE_WEIGHTS) if names else (0.0,)
    spread = float(spreads(scorer).mean())
    best, least = Ranker(scorer, {}), -1.0
    with stage("memory: choose on validation", len(betas)) as advance:
        for beta in betas:
            history = memory_of(inputs, replace(config, feature_weight=beta), names)
            own = _scales(history)
            for weight in _given(config.weight, WEIGHTS):
                found = MemoryScorer(scorer, history, own * (weight * spread), weight * spread)
                value = _value(found, split) if len(split.valid) else 0.0
                if value > least:
                    told = {"kind": config.kind, "features": list(names), "weight": weight, "feature_weight": beta}
                    best, least = Ranker(found if weight else scorer, told), value
            advance(1)
    return best


def fixed(config: MemoryConfig, chosen: dict[str, Any]) -> MemoryConfig:
    """The configuration that has no choice left: what :func:`finish` told of an earlier training."""
    named = {name: chosen[name] for name in ("weight", "feature_weight") if name in chosen}
    return replace(config, **named)


def memory_of(inputs: ModelInputs, config: MemoryConfig, names: Sequence[str]) -> HistoryScorer | SparseHistoryScorer:
    """The item-item weights of :func:`viral.models.l3ae.item_weights`, of the modalities ``names``.

    An item keeps the ``neighbors`` largest of what it says for others: by default all, or of many items ``KEPT``, which
    costs nothing on validation and is a small part of the size (docs/models/viral.md). Where the dense matrix would be too
    large, they are solved item by item over ``neighbors`` candidates (:mod:`viral.models.local_weights`),
    ``CANDIDATES`` where it is None.
    """
    numbers = {
        "reg_weight": config.reg_weight,
        "feature_weight": config.feature_weight or 0.0,
        "feature_reg": config.feature_reg,
        "user_power": config.user_power,
        "dropout": config.dropout,
    }
    offsets, items = inputs.train.rows()
    if not fits_dense(inputs.train.num_items):
        found = local_weights(inputs, names, config.neighbors or CANDIDATES, **numbers)
        return SparseHistoryScorer(offsets, items, found)
    weights = item_weights(inputs, names, **numbers)
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


def _scales(history: HistoryScorer | SparseHistoryScorer) -> Tensor:
    """One over the spread of each user's sums: (U,)."""
    users = torch.arange(history.num_users)
    return torch.cat([scales_of(history(users[rows]), 1.0) for rows in row_blocks(len(users), history.num_items)])


def _value(scorer: Scorer, split: Split) -> float:
    metrics = evaluate(scorer, split.valid, split.train, (20,), metrics=("recall", "ndcg")).mean()
    return sum(metrics[name] for name in CHOSEN_BY)


def _given(value: float | None, candidates: tuple[float, ...]) -> tuple[float, ...]:
    return candidates if value is None else (value,)
