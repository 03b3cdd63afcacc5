"""A model that is built, trained and given its memory: what trainings, updates and studies have in common."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

from viral.base.files import require_space
from viral.data.inputs import ModelInputs
from viral.data.splitting import Split
from viral.models.base import Recommender
from viral.run.configuration import Configured
from viral.training import EpochRecord, TrainReport, build_model, fit
from viral.training.budget import Budget, budget_of, tell_sources
from viral.training.item_memory import Ranker, finish

ReportT = TypeVar("ReportT", bound=TrainReport, covariant=True)


@dataclass(frozen=True, slots=True, eq=False)
class FittedModel(Generic[ReportT]):
    """A trained model with what it was made from, and what its training did."""

    chosen: Configured
    inputs: ModelInputs
    split: Split
    model: Recommender[Any]
    report: ReportT
    budget: Budget
    build_seconds: float

    def ranker(self) -> Ranker:
        """What ranks: the model's scorer with the memory that validation chooses, or that the recipe fixes."""
        recipe = self.chosen.recipe
        return finish(self.model, self.inputs, self.split, recipe.train, recipe.memory)


def fit_model(
    chosen: Configured,
    inputs: ModelInputs,
    split: Split,
    *,
    checkpoint: Path | None = None,
    on_epoch: Callable[[EpochRecord], None] | None = None,
    device: str = "cpu",
    announce: bool = False,
) -> FittedModel[TrainReport]:
    """Build the model of a recipe and train it from scratch; with ``announce`` its sources and memory are said."""
    train = chosen.recipe.train
    learn = partial(fit, split=split, config=train, checkpoint=checkpoint, on_epoch=on_epoch, device=device)
    return fit_model_by(learn, chosen, inputs, split, space_at=checkpoint if announce else None, announce=announce)


def fit_model_by(
    learn: Callable[[Recommender[Any]], ReportT],
    chosen: Configured,
    inputs: ModelInputs,
    split: Split,
    *,
    announce: bool = False,
    space_at: Path | None = None,
) -> FittedModel[ReportT]:
    """As :func:`fit_model`, trained by ``learn``; where ``space_at`` lacks room for what is written, it is refused."""
    started = time.perf_counter()
    model = build_model(chosen.model, inputs, chosen.config, chosen.recipe.train.seed)
    seconds, budget = time.perf_counter() - started, budget_of(model)
    if announce:
        tell_sources(model, inputs)
        budget.tell()
    if space_at is not None:
        require_space(space_at, _written(model, inputs))
    return FittedModel(chosen, inputs, split, model, learn(model), budget, seconds)


def _written(model: Recommender[Any], inputs: ModelInputs) -> int:
    """Bytes that a training writes at least: two checkpoints (the old is there until the new is), and the bundle."""
    parameters = sum(parameter.numel() for parameter in model.parameters())
    features = sum(values.numel() for values in inputs.features.values())
    return 4 * (2 * 4 * parameters + 2 * parameters + features)
