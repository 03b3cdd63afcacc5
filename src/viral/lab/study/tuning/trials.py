"""The study's database and the life of one trial in it: begun, reported epoch by epoch, finished once."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import RDBStorage
from optuna.study import Study
from optuna.trial import Trial, TrialState

from viral.base.errors import DataError
from viral.base.files import UsageError, full_disk_told
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
