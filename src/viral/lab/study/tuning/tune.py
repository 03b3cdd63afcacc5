"""``viral tune``: a study's folder, its trials one after the other, and the recipe that it ends with."""

import shutil
import time
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viral.base.errors import UsageError
from viral.base.extras import require
from viral.base.files import fingerprint, read_json, write_json
from viral.base.progress import say
from viral.base.recipe import Recipe
from viral.data.dataset import Dataset
from viral.data.interactions import Interactions
from viral.data.preconditions import need
from viral.data.splitting import Split
from viral.lab.report.wording import duration
from viral.lab.study.cells import data_hashes
from viral.lab.study.kept_results import locked
from viral.lab.study.study import about_data
from viral.lab.study.tuning.search_space import Space, at_point, point_of, space_of
from viral.lab.study.tuning.tuning_study import BEST_FILE, TrialRow, Tuning
from viral.run.configuration import configured
from viral.run.fitted_model import fit_model
from viral.run.pipeline import load_inputs, load_split
from viral.training import TrainReport

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

VERSION = 1  # raised when the same study would be run otherwise
IDENTITY_FILE, TRIALS_FOLDER = "identity.json", "trials"


def tune(
    dataset: Dataset,
    base: Recipe,
    out: Path,
    *,
    trials: int = 20,
    fixed: Collection[str] = (),
    warmup: int = 10,
    command: str = "",
) -> Tuning:
    """Try points of the model's space until ``out`` holds ``trials`` of them; leave ``best.toml`` and ``tune.json``.

    ``base`` is the recipe around the point; its seed is that of the sampler and of every training. ``fixed`` names
    fields that are not tuned. Trials are compared by the best value of ``base.train.monitor`` on validation, and one
    that is below the median of those before it is pruned, from epoch ``warmup`` on; the test set is not even given to
    them. The same call goes on with a study that was stopped, inside the trial where it was; a larger ``trials`` adds
    to it. No point is tried twice: a space that has been tried entirely ends the study. Raises ``UsageError`` where
    ``out`` holds another study, or no trial was completed.
    """
    require("lab", purpose="tuning", only=["optuna"])
    space = space_of(base, fixed=fixed)
    point_of(base, space)  # builds the configuration, so that a wrong one is told at once
    need(load_split(dataset), "train", "valid", where=str(dataset.path))
    with locked(_claimed(out, dataset, base, space, warmup)):
        rows = _run_all(dataset, base, out, space, trials, warmup)
        result = Tuning(
            **about_data(dataset, command),
            out=str(out),
            model=base.model,
            monitor=base.train.monitor,
            seed=base.train.seed,
            space=space,
            trials=rows,
        )
        return _kept(result, base, out)


def _kept(result: Tuning, base: Recipe, out: Path) -> Tuning:
    """The study with the recipe of its best trial, both written; ``UsageError`` where no trial was completed."""
    if result.best is None:
        why = next((row.why for row in result.trials if row.why), "")
        raise UsageError(f"not one of {len(result.trials)} trials was completed: {why}", where=str(out))
    recipe = at_point(base, result.best.point)
    recipe.write(out / BEST_FILE)
    result = replace(result, recipe=recipe, recipe_fingerprint=recipe.fingerprint)
    write_json(out / result.FILE, result.to_json())
    return result


def _claimed(out: Path, dataset: Dataset, base: Recipe, space: Space, warmup: int) -> Path:
    """Make ``out`` the folder of this study, or refuse where it is another's."""
    identity = fingerprint(VERSION, data_hashes(dataset), configured(base).plain, dict(space.candidates), warmup)
    if (out / IDENTITY_FILE).is_file():
        if read_json(out / IDENTITY_FILE)["identity"] != identity:
            what = "this folder holds a study of another recipe or space, or of data that have changed since"
            raise UsageError(what, where=str(out), hint="choose another --out, or delete the folder")
    elif out.is_file() or (out.exists() and any(out.iterdir())):
        raise UsageError("the folder is not empty and holds no study", where=str(out), hint="choose another --out")
    else:
        write_json(out / IDENTITY_FILE, {"identity": identity})
    return out


def _run_all(dataset: Dataset, base: Recipe, out: Path, space: Space, trials: int, warmup: int) -> tuple[TrialRow, ...]:
    from viral.lab.study.tuning.trials import UntriedSampler, next_trial, opened, run_trial

    sampler = UntriedSampler(space, space.number(point_of(base, space)), base.train.seed)
    wanted = min(trials, space.size)
    with opened(out, sampler, warmup=warmup) as study:
        trainer = None
        while (done := len(_finished(study))) < wanted:
            trainer = trainer or _Trainer(dataset, base)
            trial = next_trial(study)
            point = {name: trial.suggest_categorical(name, values) for name, values in space.candidates.items()}
            folder = out / TRIALS_FOLDER / str(trial.number)
            started = time.monotonic()
            run_trial(study, trial, point, folder, trainer, base.train.monitor)
            shutil.rmtree(folder, ignore_errors=True)
            _say_trial(_row(study.get_trials(deepcopy=False)[trial.number]), done, wanted, time.monotonic() - started)
        shutil.rmtree(out / TRIALS_FOLDER, ignore_errors=True)
        return tuple(_row(trial) for trial in _finished(study))


class _Trainer:
    """Trains points of one recipe on one data set, which is read once; it has no test set that it could look at."""

    def __init__(self, dataset: Dataset, base: Recipe) -> None:
        self.base = base
        self.split = without_test(load_split(dataset))
        self.inputs = load_inputs(dataset, self.split, base)

    def __call__(self, point: dict[str, Any], checkpoint: Path, on_epoch: Any) -> TrainReport:
        chosen = configured(at_point(self.base, point))
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        return fit_model(chosen, self.inputs, self.split, checkpoint=checkpoint, on_epoch=on_epoch).report


def without_test(split: Split) -> Split:
    """The split with an empty test part."""
    nothing = split.test.users[:0]
    return replace(split, test=Interactions(nothing, nothing, len(split.users), len(split.items)))


def _finished(study: "Study") -> list["FrozenTrial"]:
    return [trial for trial in study.get_trials(deepcopy=False) if trial.state.is_finished()]


def _row(trial: "FrozenTrial") -> TrialRow:
    kept = trial.user_attrs
    reported = max(trial.intermediate_values.values(), default=None)
    return TrialRow(
        number=trial.number,
        state={"COMPLETE": "complete", "PRUNED": "pruned"}.get(trial.state.name, "failed"),
        point=dict(trial.params),
        value=trial.value if trial.state.name == "COMPLETE" else reported,
        epochs=int(kept.get("epochs", 0)),
        seconds=float(kept.get("seconds", 0.0)),
        best_epoch=kept.get("best_epoch"),
        why=str(kept.get("why", "")),
    )


def _say_trial(row: TrialRow, done: int, wanted: int, seconds: float) -> None:
    point = ", ".join(f"{name} = {value}" for name, value in row.point.items())
    value = "" if row.value is None else f", valid {row.value:.4f}"
    what = f"{row.state}{value}, {row.epochs} epochs{row.why and ', ' + row.why}"
    say(f"[{done + 1}/{wanted}] {point}: {what}; {duration(seconds * (wanted - done - 1))} left")
