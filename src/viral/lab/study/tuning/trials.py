"""A tuning study's database: which point is tried next, and the life of one trial.

A point is the recipe's own, then random ones, then what TPE proposes (Bergstra et al., "Algorithms for Hyper-Parameter
Optimization", NeurIPS 2011, as Optuna has it); never one that was tried. A trial is begun, reported epoch by epoch, and
finished once.
"""

import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import BaseSampler, TPESampler
from optuna.storages import RDBStorage
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState

from viral.base.errors import DataError
from viral.base.files import UsageError, full_disk_told
from viral.lab.study.tuning.search_space import Space
from viral.training import EpochRecord, TrainReport
from viral.training.checkpoint import load_checkpoint

STUDY_FILE = "study.sqlite"
CHECKPOINT_FILE = "checkpoint.safetensors"
PRUNE_AFTER = 5  # trials that run to their end before one is compared with them
NAME = "viral"
Train = Callable[[dict[str, Any], Path, Callable[[EpochRecord], None]], TrainReport]


@contextmanager
def opened(folder: Path, sampler: optuna.samplers.BaseSampler, *, warmup: int) -> Iterator[Study]:
    """The study in ``folder``, with pruning by the median of the trials before it, from epoch ``warmup`` on."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    path = folder / STUDY_FILE
    # The path does not go through a URL, in which some of its characters would mean something else.
    connect = {"creator": lambda: sqlite3.connect(path, timeout=60, check_same_thread=False)}
    try:
        with path.open("a"), closing(connect["creator"]()) as database:
            database.execute("PRAGMA schema_version")
        with full_disk_told(path):
            storage = RDBStorage(f"sqlite:///{STUDY_FILE}", engine_kwargs=connect)
    except sqlite3.DatabaseError as error:
        raise DataError(f"not a study's database ({error})", where=str(path), hint="delete the folder") from None
    try:
        with full_disk_told(path):
            yield optuna.create_study(
                study_name=NAME,
                storage=storage,
                sampler=sampler,
                pruner=optuna.pruners.MedianPruner(n_startup_trials=PRUNE_AFTER, n_warmup_steps=warmup),
                direction="maximize",
                load_if_exists=True,
            )
    finally:
        storage.remove_session()
        storage.engine.dispose()


def next_trial(study: Study) -> Trial:
    """The trial that was stopped before it ended, or a new one."""
    begun = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    # Optuna has no public way to take a trial up again; this is how it makes the object itself.
    return Trial(study, begun[0]._trial_id) if begun else study.ask()


def run_trial(
    study: Study, trial: Trial, point: dict[str, Any], folder: Path, train: Train, monitor: str
) -> TrialState:
    """Train the trial's point to its end, or until it is pruned, and tell the study.

    ``train`` is given the point, the checkpoint's path and what to call after each epoch. A ``UsageError`` in it (the
    point makes no model, or its loss diverges) is the trial's failure; every other fault is raised, and leaves the
    trial to be taken up again.
    """
    watch = _Watch(trial, monitor, folder / CHECKPOINT_FILE)
    try:
        report = train(point, folder / CHECKPOINT_FILE, watch)
    except optuna.TrialPruned:
        state, value = TrialState.PRUNED, None
        watch.keep()
    except UsageError as error:
        state, value = TrialState.FAIL, None
        watch.keep(why=error.what)
    else:
        state, value = TrialState.COMPLETE, report.best_value
        watch.keep(best_epoch=report.best_epoch, stopped_because=report.stopped_because, history=report.history)
    study.tell(trial, value, state=state)
    return state


class _Watch:
    """Reports each epoch of a training to a trial, and stops it where the pruner says so."""

    def __init__(self, trial: Trial, monitor: str, checkpoint: Path) -> None:
        self.trial, self.monitor = trial, monitor
        frozen = trial.study.get_trials(deepcopy=False)[trial.number]
        self.reported = frozenset(frozen.intermediate_values)
        history = load_checkpoint(checkpoint)[1]["history"] if checkpoint.is_file() else []
        self.seconds = sum(record["seconds"] + record["valid_seconds"] for record in history)
        self.epochs = len(history)

    def __call__(self, record: EpochRecord) -> None:
        self.seconds += record.seconds + record.valid_seconds
        self.epochs += 1
        if self.monitor not in record.valid:
            return
        if record.epoch not in self.reported:  # else it is trained once more after a stop
            self.trial.report(record.valid[self.monitor], record.epoch)
        if self.trial.should_prune():
            raise optuna.TrialPruned

    def keep(self, *, history: tuple[EpochRecord, ...] = (), **more: Any) -> None:
        """Write what the trial cost; a model in closed form has no epochs but those of its report."""
        epochs = len(history) or self.epochs
        seconds = sum(r.seconds + r.valid_seconds for r in history) if history else self.seconds
        for name, value in {"epochs": epochs, "seconds": seconds, **more}.items():
            self.trial.set_user_attr(name, value)


RANDOM_TRIALS = 10  # before TPE has anything to go by


class UntriedSampler(BaseSampler):
    """Proposes untried points of a finite space.

    A proposal depends on the seed, the trial's number and the trials before it, and on nothing else, so that a study
    that was stopped goes on as if it had not been.
    """

    def __init__(self, space: Space, first: int | None, seed: int) -> None:
        """``first`` is the number of the point that is tried before all others, if any."""
        self.space, self.first, self.seed = space, first, seed

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return {name: CategoricalDistribution(values) for name, values in self.space.candidates.items()}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        others = [other for other in study.get_trials(deepcopy=False) if other.number != trial.number]
        tried = {number for other in others if (number := self.space.number(other.params)) is not None}
        if self.first is not None and self.first not in tried:
            return self.space.at(self.first)
        rng = np.random.default_rng([self.seed, trial.number])
        measured = [other for other in others if other.state in (TrialState.COMPLETE, TrialState.PRUNED)]
        if len(measured) >= RANDOM_TRIALS:
            tpe = TPESampler(n_startup_trials=0, constant_liar=False, seed=int(rng.integers(2**32)))
            proposed = tpe.sample_relative(study, trial, search_space)
            if self.space.number(proposed) not in {None, *tried}:
                return proposed
        return self.space.at(any_untried(self.space.size, tried, rng))

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        raise ValueError(f"{param_name!r} is not in the space")


def any_untried(size: int, tried: Collection[int], rng: np.random.Generator) -> int:
    """A number in [0, size) that is not in ``tried``, uniformly; there must be one."""
    place = int(rng.integers(size - len(tried)))
    for taken in sorted(tried):
        place += taken <= place
    return place
