"""The hops as functions over folders: a data set becomes a run, a run is measured. The command line calls these."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import torch

from viral.blend import Ranker, finish
from viral.budget import Budget, budget_of, tell_peak, tell_sources
from viral.bundle import Bundle, make_bundle
from viral.configured import Configured, configured, find_model, with_words
from viral.data import ModelInputs, Split, sample_users, split
from viral.data.needed import need
from viral.dataset import Dataset
from viral.devices import find_device
from viral.encode.table import load_features
from viral.errors import DataError, UsageError
from viral.evaluation.exposure import LessPopular, above_average
from viral.explain.deed import deed_of
from viral.files import fingerprint, read_json, replace_folder, sha256_file, write_json
from viral.material import gather
from viral.measuring import (
    PROTOCOLS,
    RUN_FILE,
    exposed,
    keep_summary,
    measure,
    read_summary,
    report_metrics,
    summarise,
    tested_on,
)
from viral.models.base import Recommender
from viral.production import everything, settle
from viral.recipe import Recipe
from viral.training import TrainReport, build_model, fit

__all__ = [
    "BUNDLE_FOLDER", "CHECKPOINT_FILE", "PROTOCOLS", "RECIPE_FILE", "RUN_FILE", "Configured", "configured",
    "evaluate_run", "find_model", "identity_of", "load_inputs", "load_split", "measure", "report_metrics", "summarise",
    "train", "train_anew", "with_words",
]  # fmt: skip
RECIPE_FILE, CHECKPOINT_FILE, BUNDLE_FOLDER = "recipe.toml", "checkpoint.safetensors", "bundle"
IDENTITY_FILE = "identity.json"


def load_split(dataset: Dataset) -> Split:
    """The data set's split over the catalogue's items."""
    return split(dataset.interactions(), dataset.catalog().ids)


def load_inputs(dataset: Dataset, parts: Split, recipe: Recipe) -> ModelInputs:
    """Training interactions and every feature table of the data set, aligned by item id."""
    return ModelInputs.of(parts, load_features(dataset.features_folder).values(), fill=recipe.fill)


def train(
    dataset: Dataset, recipe: Recipe, out: Path | str, *, users: int | None = None, device: str = "cpu",
    production: bool = False, chosen_by: Path | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Train a recipe on a data set and leave a run in ``out``: recipe, checkpoint, bundle, ``run.json``.

    A finished run is returned as it is, a stopped one goes on from its checkpoint; a folder that holds another run is
    a ``UsageError``. Selection sees validation only; the test set is ranked once, at the end. With ``users`` only so
    many, drawn at random, are ranked for: for logs where ranking for everybody takes longer than an epoch. For
    ``production`` validation and test are learnt from as well, for as long as the run ``chosen_by`` was
    (:mod:`viral.production`). ``device`` is no part of what the run is (:mod:`viral.devices`).
    """
    out, parts = Path(out), load_split(dataset)
    need(parts, "train", where=str(dataset.path))
    settled = settle(recipe, parts, production=production, chosen_by=chosen_by)
    chosen = configured(settled.recipe)
    recipe = chosen.recipe
    settled.tell()
    find_device(device)  # before the folder is claimed
    identity = _claim(dataset, chosen, out, users, production)
    if (out / RUN_FILE).is_file():
        return read_summary(out)
    parts = _ranked_for(everything(parts) if production else parts, users)
    inputs, catalog = load_inputs(dataset, parts, recipe), dataset.catalog()
    model, ranker, report, budget = _learnt(chosen, inputs, parts, out / CHECKPOINT_FILE, device)
    summary = summarise(recipe, report, measure(ranker.scorer, parts), ranker, parts)
    summary |= {"identity": identity, "dataset": str(dataset.path), "reads": list(model.reads)}
    summary |= exposed(ranker.scorer, parts, lambda item_id: catalog[item_id].title)
    summary |= {"deed": deed_of(dataset), "production": production, "tested_on": tested_on(parts)} | settled.summary
    summary["least_memory_bytes"] = budget.training + budget.ranking
    tell_peak(budget)
    about = {"recipe": recipe.values(), "counts": dict(dataset.manifest["counts"])} | summary
    material = gather(model, inputs, dataset, parts.items.ids)
    made = make_bundle(ranker.scorer, catalog, parts.users, parts.items, parts.train, about, material)
    made.save(out / BUNDLE_FOLDER)
    keep_summary(out, summary)
    (out / CHECKPOINT_FILE).unlink(missing_ok=True)
    return summary


class _Learnt(NamedTuple):
    model: Recommender[Any]
    ranker: Ranker
    report: TrainReport
    budget: Budget


def _learnt(chosen: Configured, inputs: ModelInputs, parts: Split, checkpoint: Path, device: str) -> _Learnt:
    """The model, trained, and what ranks with it."""
    train = chosen.recipe.train
    model = build_model(chosen.model, inputs, chosen.config, train.seed)
    tell_sources(model, inputs)
    budget = budget_of(model)
    budget.tell()
    report = fit(model, parts, train, checkpoint=checkpoint, device=device)
    return _Learnt(model, finish(model, inputs, parts, train, chosen.recipe.memory), report, budget)


def train_anew(
    dataset: Dataset, recipe: Recipe, out: Path, *, production: bool = False, chosen_by: Path | None = None, **more: Any
) -> dict[str, Any]:
    """As :func:`train`, where ``out`` may hold a run of other data or another recipe: that is there until this is done.

    The new run is trained beside it, resumable as any, and takes its place in one step.
    """
    more |= {"production": production, "chosen_by": chosen_by}
    settled = settle(recipe, load_split(dataset), production=production, chosen_by=chosen_by)
    wanted = identity_of(dataset, configured(settled.recipe), more.get("users"), production)
    if _claimed(out) in ("", wanted):
        return train(dataset, recipe, out, **more)
    beside = out.with_name(f".{out.name}.next")
    if _claimed(beside) != wanted:  # stopped, and the data have changed since
        shutil.rmtree(beside, ignore_errors=True)
    summary = train(dataset, recipe, beside, **more)
    replace_folder(beside, out)
    return summary


def _ranked_for(parts: Split, users: int | None) -> Split:
    """The split with validation and test of so many users alone, or of all."""
    if users is None:
        return parts
    return replace(parts, valid=sample_users(parts.valid, users), test=sample_users(parts.test, users))


def identity_of(dataset: Dataset, chosen: Configured, users: int | None = None, production: bool = False) -> str:
    """What a run depends on, as one key."""
    features = {path.name: sha256_file(path) for path in sorted(dataset.features_folder.glob("*.parquet"))}
    tables = {name: sha256_file(dataset.path / name) for name in dataset.manifest["hashes"]}  # the manifest may be old
    more = (*(() if users is None else (users,)), *(("production",) if production else ()))
    given = chosen.plain | {"config": dict(chosen.recipe.config)}  # without defaults, as always: old runs stay found
    return fingerprint(fingerprint(tables), features, given, *more)


def _claim(dataset: Dataset, chosen: Configured, out: Path, users: int | None, production: bool) -> str:
    """Make ``out`` the folder of this run, or refuse when it is another's; returns what the run depends on."""
    identity = identity_of(dataset, chosen, users, production)
    if there := _claimed(out):
        if there != identity:
            raise UsageError(
                "this folder holds a run of another recipe, or of data that have changed since",
                where=str(out),
                hint="choose another --out, or delete the folder",
            )
    elif out.is_file() or (out.exists() and any(out.iterdir())):
        raise UsageError("the folder is not empty and holds no run", where=str(out), hint="choose another --out")
    else:
        write_json(out / IDENTITY_FILE, {"identity": identity})
    if not (out / RECIPE_FILE).is_file():
        chosen.recipe.write(out / RECIPE_FILE)
    return identity


def _claimed(out: Path) -> str:
    """The identity of the run that a folder holds; the empty string where it holds none."""
    if not (out / IDENTITY_FILE).is_file():
        return ""
    found = read_json(out / IDENTITY_FILE)
    if not isinstance(found, dict) or not isinstance(found.get("identity"), str):
        raise DataError("damaged: it names no run", where=str(out / IDENTITY_FILE), hint="delete the run's folder")
    return found["identity"]


def evaluate_run(
    run: Path,
    *,
    name: str = "test",
    mask: str = PROTOCOLS[0],
    dataset: Path | None = None,
    users: int | None = None,
    less_popular: float = 0.0,
) -> dict[str, Any]:
    """Rank again from a run's bundle and measure one split of its data set, for ``users`` drawn at random or all.

    ``less_popular`` is what being popular costs an item (:class:`viral.evaluation.exposure.LessPopular`).
    """
    bundle = Bundle.load(run / BUNDLE_FOLDER)
    opened = Dataset.open(dataset or Path(read_summary(run)["dataset"]))
    parts = load_split(opened)
    if bundle.about.get("production"):
        parts = everything(parts)
    if (
        parts.users != bundle.users
        or parts.items != bundle.items
        or not torch.equal(parts.train.keys(), bundle.seen.keys())
    ):
        raise DataError(
            "the data set's users, items or training interactions are not the bundle's",
            where=str(opened.path),
            hint="train again on this data",
        )
    if bundle.about.get("production"):
        need(
            parts, name, where=str(run), hint="it learnt from every interaction: evaluate the run that chose its epochs"
        )
    need(parts, name, where=str(opened.path))
    parts = _ranked_for(parts, users)
    scorer = LessPopular(bundle.scorer, above_average(parts.train), less_popular) if less_popular else bundle.scorer
    measured = measure(scorer, parts, name=name)
    told = {"model": bundle.about["model"], **report_metrics(measured, name, mask=mask)}
    titles = dict(zip(bundle.items.ids, bundle.titles, strict=True))
    beside = {"less_popular": less_popular} if less_popular else {}
    return told | beside | exposed(scorer, parts, titles.__getitem__)
