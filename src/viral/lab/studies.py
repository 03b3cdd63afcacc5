"""Studies from Python: compare, ablate and tune, with models named as ``viral.train`` takes them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viral.base.errors import UsageError
from viral.base.parallel import Executor, SerialExecutor
from viral.base.recipe import Recipe
from viral.data.dataset import Dataset
from viral.run.configuration import recipe_for
from viral.run.dataset import as_dataset

if TYPE_CHECKING:
    from viral.lab.study.ablation.ablate import Ablation
    from viral.lab.study.cold.cold_study import ColdStudy
    from viral.lab.study.comparison.leaderboard import Leaderboard
    from viral.lab.study.tuning.tune import Tuning

NOTHING: Mapping[str, Any] = {}


def compare(
    dataset: Dataset | Path | str,
    models: Iterable[Any] | Mapping[str, Any],
    *,
    out: Path | str,
    seeds: int | Sequence[int] = 5,
    settings: Mapping[str, Any] = NOTHING,
    cold: bool = False,
    workers: int = 1,
    **wishes: Any,
) -> "Leaderboard | ColdStudy":
    """Train models side by side, several seeds each: one leaderboard with intervals, tests and costs, kept in ``out``.

    ``models`` are names, classes or recipes, or a mapping of them by the row's name; ``settings`` are of every row.
    With ``cold`` a tenth of the items is withheld and ranked as new. ``wishes`` are those of
    :func:`viral.lab.study.comparison.compare.compare`: ``against``, ``metric``, ``renew``, … The same call goes on with
    a study that was stopped; ``workers`` processes train side by side.
    """
    from viral.lab.study.cold.cold_study import compare_cold
    from viral.lab.study.comparison.compare import compare as run

    rows = {name: recipe_for(model, settings) for name, model in _named(models).items()}
    asked = {"seeds": _seeds(seeds), "executor": _executor(workers), **wishes}
    asked.setdefault(
        "command", f"viral.compare({str(_path(dataset))!r}, {list(rows)}, seeds={seeds}, out={str(out)!r})"
    )
    return (compare_cold if cold else run)(as_dataset(dataset), rows, Path(out), **asked)


def ablate(
    dataset: Dataset | Path | str,
    model: Recipe | str = "viral",
    *,
    out: Path | str,
    seeds: int | Sequence[int] = 5,
    settings: Mapping[str, Any] = NOTHING,
    workers: int = 1,
    **wishes: Any,
) -> "Ablation":
    """Take VIRAL apart: every part, source and number, several seeds each, one table and one report in ``out``.

    ``wishes`` are those of :func:`viral.lab.study.ablation.ablate.ablate`: ``studies``, ``metric``, ``renew``.
    """
    from viral.lab.study.ablation.ablate import ablate as run

    asked = {"base": recipe_for(model, settings), "seeds": _seeds(seeds), "executor": _executor(workers), **wishes}
    asked.setdefault("command", f"viral.ablate({str(_path(dataset))!r}, seeds={seeds}, out={str(out)!r})")
    return run(as_dataset(dataset), Path(out), **asked)


def tune(
    dataset: Dataset | Path | str,
    model: Any = "viral",
    *,
    out: Path | str,
    trials: int = 20,
    seed: int = 0,
    warmup: int = 10,
    settings: Mapping[str, Any] = NOTHING,
) -> "Tuning":
    """Choose hyper-parameters on validation; leaves ``best.toml`` in ``out``. What ``settings`` name is not tuned."""
    from viral.lab.study.tuning.tune import tune as run

    base = recipe_for(model, settings)
    base = replace(base, train=replace(base.train, seed=seed))
    given = [name for section in settings.values() if isinstance(section, Mapping) for name in section]
    fixed = {name.rpartition(".")[2] for name in (*settings, *given)}
    told = f"viral.tune({str(_path(dataset))!r}, {base.model!r}, trials={trials}, seed={seed}, out={str(out)!r})"
    return run(as_dataset(dataset), base, Path(out), trials=trials, fixed=fixed, warmup=warmup, command=told)


def _named(models: Iterable[Any] | Mapping[str, Any]) -> Mapping[str, Any]:
    """Models by the row's name: their own, the class's, or that of the recipe's model."""
    if isinstance(models, Mapping):
        return models
    if isinstance(models, str):
        raise UsageError("models is one word", hint=f"give a list: [{models!r}]")
    pairs = [(_name(model), model) for model in models]
    if not pairs or len(dict(pairs)) < len(pairs):
        what = "two rows have the same name" if pairs else "there is nothing to compare"
        raise UsageError(what, where=", ".join(name for name, _ in pairs), hint="name rows: {'small': …, 'large': …}")
    return dict(pairs)


def _name(model: Any) -> str:
    return model if isinstance(model, str) else model.model if isinstance(model, Recipe) else model.__name__


def _seeds(seeds: int | Sequence[int]) -> Sequence[int]:
    return range(seeds) if isinstance(seeds, int) else seeds


def _executor(workers: int) -> Executor:
    from viral.base.parallel.processes import ProcessExecutor

    return SerialExecutor() if workers == 1 else ProcessExecutor(workers)


def _path(dataset: Dataset | Path | str) -> Path:
    return dataset.path if isinstance(dataset, Dataset) else Path(dataset)
