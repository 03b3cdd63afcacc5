"""Training that goes on from parameters which were carried over: short, since it begins near where it ends."""

from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor

from viral.base.recipe import TrainConfig
from viral.data.splitting import Split
from viral.evaluation.protocol import measure_valid
from viral.models.base import Recommender
from viral.training import EpochRecord, TrainReport, fit
from viral.training.objectives import ranker_of

# Chosen over planted shops other than the reported one (docs/retrieval.md): at the recipe's own rate; lower ones, which
# are kinder to what was learnt, take longer to learn what is new.
SHARE = 0.12  # of the epochs that training took from scratch
LEAST = 5  # epochs


@dataclass(frozen=True, slots=True)
class ContinuedReport(TrainReport):
    """What a training did that went on from other parameters, and what they were worth before it."""

    start: float | None = None  # the monitored metric; None: not trained or not measured
    carried_over: int = 0  # numbers that it began with


def report_of(report: TrainReport, **more: Any) -> ContinuedReport:
    """A report with what came before the training."""
    return ContinuedReport(**{field.name: getattr(report, field.name) for field in fields(TrainReport)}, **more)


def epochs_after(run_epochs: int) -> int:
    """How many epochs an update trains, of a run that took ``run_epochs`` from scratch."""
    return max(LEAST, round(SHARE * run_epochs))


class Mean:
    """The mean of a model's state over the ends of epochs, from the epoch ``first`` on (counted from 0).

    Averaged are the states of one descent, as in Izmailov et al., UAI 2018: what one epoch adds to the next by chance
    falls away.
    """

    def __init__(self, model: Recommender[Any], first: int) -> None:
        self.model, self.first = model, first
        self.count, self.state = 0, dict[str, Tensor]()

    def take(self, record: EpochRecord) -> None:
        """Count in the state as an epoch has left it."""
        if record.epoch < self.first:
            return
        self.count += 1
        for name, value in self.model.state_dict().items():
            if name not in self.state or not value.is_floating_point():
                self.state[name] = value.clone()
            else:
                self.state[name].lerp_(value, 1 / self.count)

    def give(self) -> None:
        """The mean becomes the model's state."""
        with torch.no_grad():
            self.model.load_state_dict(self.state)


def go_on(model: Recommender[Any], parts: Split, train: TrainConfig, epochs: int) -> ContinuedReport:
    """Train ``epochs`` more, at the recipe's rate, and leave the model at the mean of what their last half left.

    Validation does not choose here. The start was chosen as the best of many epochs on almost the same validation set,
    so its value there is too good, and what it has still to learn of the new data would be thrown away.
    """
    if model.trainable is None:
        return report_of(fit(model, parts, train))
    train = train.of_model(model.TRAIN)
    start = measure_valid(ranker_of(model, train), parts).get(train.monitor)
    mean = Mean(model, epochs // 2)
    report = fit(model, parts, replace(train, max_epochs=epochs, evaluate_every=epochs), on_epoch=mean.take)
    mean.give()
    ended = measure_valid(ranker_of(model, train), parts).get(train.monitor, float("nan"))
    return report_of(replace(report, best_value=ended), start=start)
