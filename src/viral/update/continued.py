"""Training that goes on from parameters which were carried over: short, since it begins near where it ends."""

from dataclasses import replace
from typing import Any, NamedTuple

from viral.data import Split
from viral.models.base import EmbeddingRecommender, Recommender
from viral.recipe import TrainConfig
from viral.training import TrainReport, fit, measure_valid

# Chosen over planted shops other than the reported one (docs/retrieval.md): at the recipe's own rate; lower ones, which
# are kinder to what was learnt, take longer to learn what is new.
SHARE = 0.12  # of the epochs that training took from scratch
LEAST = 5  # epochs


class Continued(NamedTuple):
    """What training did, and what the monitored metric was before it (None: of a model that is not trained)."""

    report: TrainReport
    start: float | None


def epochs_after(run_epochs: int) -> int:
    """How many epochs an update trains, of a run that took ``run_epochs`` from scratch."""
    return max(LEAST, round(SHARE * run_epochs))


def go_on(model: Recommender[Any], parts: Split, train: TrainConfig, epochs: int) -> Continued:
    """Train ``epochs`` more, at the recipe's rate, and leave the model at the last of them.

    Validation does not choose here. The start was chosen as the best of many epochs on almost the same validation set,
    so its value there is too good, and what it has still to learn of the new data would be thrown away.
    """
    if not isinstance(model, EmbeddingRecommender):
        return Continued(fit(model, parts, train), None)
    start = measure_valid(model, parts)[train.monitor]
    return Continued(fit(model, parts, replace(train, max_epochs=epochs, evaluate_every=epochs)), start)
