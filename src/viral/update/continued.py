"""Training that goes on from parameters which were carried over: short, since it begins near where it ends."""

from dataclasses import replace
from typing import Any, NamedTuple

from viral.data import Split
from viral.models.base import EmbeddingRecommender, Recommender
from viral.recipe import TrainConfig
from viral.training import TrainReport, fit, measure_valid

# Chosen on validation over planted shops (docs/retrieval.md). At the recipe's own rate the first steps of Adam, which
# knows no moments yet, lead away from the optimum, and finding back takes as long as training afresh.
RATE = 0.1  # of the recipe's learning rate
PATIENCE = 3  # evaluations without a better one
NOT_TRAINED = -1  # the best epoch, where none was better than the start


class Continued(NamedTuple):
    """What training did, and what the monitored metric was before it (None: of a model that is not trained)."""

    report: TrainReport
    start: float | None


def go_on(model: Recommender[Any], parts: Split, train: TrainConfig, patience: int | None = None) -> Continued:
    """Train on from the parameters that ``model`` has, at a tenth of the recipe's rate and with little patience.

    The start is measured on validation too and counts as an epoch: where no epoch is better, the model is left as it
    was, with ``best_epoch`` -1. ``patience`` None is three evaluations, or the recipe's where that is less.
    """
    if not isinstance(model, EmbeddingRecommender):
        return Continued(fit(model, parts, train), None)
    start = measure_valid(model, parts)[train.monitor]
    before = {name: value.detach().clone() for name, value in model.state_dict().items()}
    waits = patience or min(PATIENCE, train.patience)
    report = fit(model, parts, replace(train, learning_rate=RATE * train.learning_rate, patience=waits))
    if report.best_value <= start:
        model.load_state_dict(before)
        report = replace(report, best_epoch=NOT_TRAINED, best_value=start)
    return Continued(report, start)
