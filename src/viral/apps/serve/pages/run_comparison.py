"""Two trainings side by side: where their configurations differ, and which users are served better by one or other.

Users' values come from what a study kept, or are computed from a run's bundle and its data set; n users.
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, is_dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from viral.apps.serve.pages.experiment_files import Found, RunStudy
from viral.base.errors import DataError, UsageError, ViralError
from viral.base.language import marked
from viral.base.recipe import build
from viral.data.dataset import Dataset
from viral.data.preconditions import need
from viral.evaluation import PairedTest, paired_test
from viral.evaluation.protocol import PROTOCOLS, measure
from viral.lab.study.ablation.variants import GROUPS
from viral.lab.study.kept_results import CellResult, KeptCell, cells_of_row, kept_cells, users_mean
from viral.lab.study.study import METRIC, TrainingStudy
from viral.lab.study.training_rows import Row
from viral.run.bundle import MANIFEST_FILE, Bundle
from viral.run.configuration import find_model, refuse_foreign
from viral.run.identity import RECIPE_FILE
from viral.run.pipeline import BUNDLE_FOLDER, load_split

SHOWN = 15  # users on each side
NO_RECIPE = marked("its cells are of a version that kept no recipe; the command that made it, given again, adds them")
Users = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Config:
    """A recipe's settings by their dotted names, and why they are not all, "" where they are."""

    settings: Mapping[str, Any]
    gap: str = ""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: a run, or a row of a study."""

    key: str  # its address
    label: str
    config: Callable[[], Config]
    users: Callable[[], Users]  # recall@20 by user id; raises ``DataError`` where it cannot be had


@dataclass(frozen=True, slots=True)
class Change:
    """A user whom one of the two serves better."""

    user_id: str
    first: float
    second: float

    @property
    def difference(self) -> float:
        return self.second - self.first


@dataclass(frozen=True, slots=True)
class Difference:
    """What came of it: the test of second minus first, and the users most won and most lost by the second."""

    test: PairedTest
    means: tuple[float, float]
    users: int
    left_out: int  # that only one of the two has measured
    won: tuple[Change, ...]
    lost: tuple[Change, ...]


def sides(found: Mapping[str, Found], fallback: Dataset | None) -> dict[str, Side]:
    """All that can be compared, by address."""
    made: dict[str, Side] = {}
    for one in found.values():
        if isinstance(one.study, RunStudy):
            document = one.study.document
            config = partial(run_config, one.folder, document)
            made[one.name] = Side(one.name, one.name, config, partial(_of_run, one, document.get("dataset"), fallback))
        elif isinstance(one.study, TrainingStudy):
            for row in one.study.rows:
                if row.seeds:
                    key = f"{one.name}/{row.name}"
                    made[key] = Side(key, key, partial(row_config, one, row), partial(_of_cells, one, row))
    return made


def side(there: Mapping[str, Side], key: str) -> Side:
    """By address; ``UsageError`` for another."""
    if key not in there:
        raise UsageError("there is no such run to compare", hint="choose two of the list")
    return there[key]


def run_config(folder: Path, document: Mapping[str, Any]) -> Config:
    """A run's whole recipe, defaults written out where its model is known here."""
    try:
        recipe = tomllib.loads((folder / RECIPE_FILE).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return Config({"model": document.get("model")}, f"its {RECIPE_FILE} cannot be read")
    gap = ""
    try:
        settings = recipe.get("config", {})
        if "memory" not in recipe and recipe["model"] == "viral":  # kept before VIRAL's default was ``beyond``
            settings = {"variant": "light", **settings}
        refuse_foreign(str(recipe["model"]), where=str(folder))
        full = build(find_model(str(recipe["model"])).variant(settings).Config, settings, where="[config]")
        recipe["config"] = asdict(full) if is_dataclass(full) and not isinstance(full, type) else recipe["config"]
    except (ViralError, KeyError, TypeError):
        gap = marked("its model is not known here, and so are its defaults")
    return Config(flat(recipe) | {"parameters": document.get("num_parameters")}, gap)


def row_config(found: Found, row: Row) -> Config:
    """The whole recipe that the row's cells kept, or its model, its budget and its variant."""
    cell = next(iter(_cells(found, row)), None)
    recipe = None if cell is None else cell.summary.get("recipe")
    if isinstance(recipe, Mapping):
        seed = row.seeds[0] if len(row.seeds) == 1 else list(row.seeds)
        return Config(flat(recipe) | {"train.seed": seed, "parameters": row.parameters})
    known = {"model": row.model, "train.max_epochs": row.max_epochs, "train.patience": row.patience}
    group = GROUPS.get(row.group)
    variant = next((one for one in (group.variants if group else ()) if one.name == row.name), None)
    if found.kind == "ablation" and variant is not None:
        known |= flat({"config": variant.settings})
    return Config(known | {"parameters": row.parameters}, NO_RECIPE)


def flat(values: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Nested tables as dotted names; a setting that is none is ``none``, as in a recipe."""
    made: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            made |= flat(value, f"{before}{name}.")
        else:
            plain = list(value) if isinstance(value, tuple) else value  # as it comes out of a file
            made[f"{before}{name}"] = "none" if plain is None else plain
    return made


def config_difference(first: Config, second: Config) -> list[tuple[str, Any, Any]]:
    """Names whose values differ, with both; None where one has none.

    Where one of the two is not whole, what only the other has may be in both, and is left out.
    """
    a, b = first.settings, second.settings
    names = dict.fromkeys((*a, *b))
    if first.gap and not second.gap:
        names = dict.fromkeys(a)
    elif second.gap and not first.gap:
        names = dict.fromkeys(b)
    return [(name, a.get(name), b.get(name)) for name in names if a.get(name) != b.get(name)]


def difference(first: Users, second: Users) -> Difference:
    """Second against first over the users whom both have measured; ``DataError`` where there is none."""
    shared = [user for user in first if user in second]
    if not shared:
        raise DataError(marked("the two have no user in common"), hint="compare runs of one data set")
    a, b = (np.array([values[user] for user in shared], dtype=np.float64) for values in (first, second))
    order = np.argsort(b - a, kind="stable")
    changes = [Change(shared[place], float(a[place]), float(b[place])) for place in order]
    return Difference(
        test=paired_test(b, a),
        means=(float(a.mean()), float(b.mean())),
        users=len(shared),
        left_out=len(first) + len(second) - 2 * len(shared),
        won=tuple(one for one in reversed(changes[-SHOWN:]) if one.difference > 0),
        lost=tuple(one for one in changes[:SHOWN] if one.difference < 0),
    )


def _cells(found: Found, row: Row) -> list[KeptCell]:
    return cells_of_row(kept_cells(found.folder), row.name, row.model_key, row.seeds)


def _of_cells(found: Found, row: Row) -> Users:
    """Every user's mean over the seeds."""
    means = users_mean((CellResult(cell.folder, {}) for cell in _cells(found, row)), METRIC)
    if not means:
        raise DataError(f"the cells of {row.name!r} are gone", hint="run the study again")
    return means


def _of_run(found: Found, named: object, fallback: Dataset | None) -> Users:
    """Ranked again from the bundle, on the data set that the run names or the server has."""
    manifest = found.folder / BUNDLE_FOLDER / MANIFEST_FILE
    if not manifest.is_file():
        raise DataError(f"{found.name} has no bundle")
    places = [Path(str(named))] if named else []
    places += [fallback.path] if fallback is not None else []
    return _measured(found.folder / BUNDLE_FOLDER, manifest.stat().st_mtime_ns, tuple(places))


@lru_cache(maxsize=16)
def _measured(folder: Path, _modified: int, places: tuple[Path, ...]) -> Users:
    bundle = Bundle.load(folder)
    for place in places:
        try:
            parts = load_split(Dataset.open(place))
        except ViralError:
            continue
        same = parts.users == bundle.users and parts.items == bundle.items
        if same and torch.equal(parts.train.keys(), bundle.seen.keys()):
            need(parts, "test", where=str(place))
            metrics = measure(bundle.scorer, parts)[PROTOCOLS[0]]
            ids, values = bundle.users.ids, metrics.per_user[METRIC].tolist()
            return {ids[user]: value for user, value in zip(metrics.users.tolist(), values, strict=True)}
    raise DataError("the data set that the run was trained on is not here, or has changed since")
