"""The hops as functions over folders: a data set becomes a run, a run is measured. The command line calls these."""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from viral.base.devices import find_device
from viral.base.errors import DataError
from viral.base.files import replace_folder
from viral.base.locks import alone
from viral.base.recipe import Recipe
from viral.data.dataset import Dataset
from viral.data.features import load_features
from viral.data.inputs import ModelInputs
from viral.data.preconditions import need
from viral.data.splitting import Split, sample_users, split
from viral.evaluation.exposure import LessPopular, above_average
from viral.evaluation.protocol import PROTOCOLS, measure, report_metrics
from viral.run.bundle import Bundle, make_bundle
from viral.run.bundle_extras import gather
from viral.run.configuration import configured
from viral.run.fitted_model import FittedModel, fit_model
from viral.run.identity import CHECKPOINT_FILE, claim, claimed_by, identity_of
from viral.run.production import Settled, everything, settle
from viral.run.summary import RUN_FILE, exposed, keep_summary, read_summary, summary_of
from viral.training.budget import tell_peak
from viral.training.item_memory import Ranker

BUNDLE_FOLDER = "bundle"


def load_split(dataset: Dataset) -> Split:
    """The data set's split over the catalogue's items."""
    return split(dataset.interactions(), dataset.catalog().ids)


def load_inputs(dataset: Dataset, parts: Split, recipe: Recipe) -> ModelInputs:
    """Training interactions and every feature table of the data set, aligned by item id."""
    return ModelInputs.of(parts, load_features(dataset.features_folder).values(), fill=recipe.fill)


def train(
    dataset: Dataset, recipe: Recipe, out: Path | str, *, users: int | None = None, device: str = "cpu",
    production: bool = False, chosen_by: Path | None = None, anew: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Train a recipe on a data set and leave a run in ``out``: recipe, checkpoint, bundle, ``run.json``.

    A finished run is returned as it is, a stopped one goes on from its checkpoint; a folder that holds another run is
    a ``UsageError``. Selection sees validation only; the test set is ranked once, at the end. With ``users`` only so
    many, drawn at random, are ranked for: for logs where ranking for everybody takes longer than an epoch. For
    ``production`` validation and test are learnt from as well, for as long as the run ``chosen_by`` was
    (:mod:`viral.run.production`). ``device`` is no part of what the run is (:mod:`viral.base.devices`). A training
    under way may go on with another cap, ``recipe.train.max_epochs``. With ``anew``, ``out`` may hold a run of other
    data or another recipe: it is there until the new one, which is trained beside it, takes its place in one step.
    """
    parts, target = load_split(dataset), Path(out)
    need(parts, "train", where=str(dataset.path))
    settled = settle(recipe, parts, production=production, chosen_by=chosen_by)
    place = _place(dataset, settled, target, users, production) if anew else target
    with alone(place):
        summary = _train(dataset, settled, parts, place, users, device, production)
    if place != target:
        replace_folder(place, target)
    return summary


def _train(
    dataset: Dataset, settled: Settled, parts: Split, out: Path, users: int | None, device: str, production: bool
) -> dict[str, Any]:
    chosen = configured(settled.recipe)
    recipe = chosen.recipe
    settled.tell()
    find_device(device)  # before the folder is claimed
    identity = claim(dataset, chosen, out, users, production)
    if (out / RUN_FILE).is_file():
        return read_summary(out)
    parts = _ranked_for(everything(parts) if production else parts, users)
    inputs = load_inputs(dataset, parts, recipe)
    fitted = fit_model(chosen, inputs, parts, checkpoint=out / CHECKPOINT_FILE, device=device, announce=True)
    ranker, budget = fitted.ranker(), fitted.budget
    summary = summary_of(fitted, ranker, dataset, identity=identity, production=production) | settled.summary
    summary["least_memory_bytes"] = budget.training + budget.ranking
    tell_peak(budget)
    bundle_of(fitted, ranker, dataset, summary).save(out / BUNDLE_FOLDER)
    keep_summary(out, summary)
    (out / CHECKPOINT_FILE).unlink(missing_ok=True)
    return summary


def bundle_of(fitted: FittedModel[Any], ranker: Ranker, dataset: Dataset, summary: Mapping[str, Any]) -> Bundle:
    """What a training leaves to recommend by."""
    parts, recipe = fitted.split, fitted.chosen.recipe
    about = {"recipe": recipe.values(), "counts": dict(dataset.manifest["counts"]), **summary}
    material = gather(fitted.model, fitted.inputs, dataset, parts.items.ids)
    return make_bundle(ranker.scorer, dataset.catalog(), parts.users, parts.items, parts.train, about, material)


def _place(dataset: Dataset, settled: Settled, out: Path, users: int | None, production: bool) -> Path:
    """Where a run that shall be in ``out`` is trained: beside it, where ``out`` holds a run of other data or recipe."""
    wanted = identity_of(dataset, configured(settled.recipe), users, production)
    if claimed_by(out) in ("", wanted):
        return out
    beside = out.with_name(f".{out.name}.next")
    if claimed_by(beside) != wanted:  # stopped, and the data have changed since
        shutil.rmtree(beside, ignore_errors=True)
    return beside


def _ranked_for(parts: Split, users: int | None) -> Split:
    """The split with validation and test of so many users alone, or of all."""
    if users is None:
        return parts
    return replace(parts, valid=sample_users(parts.valid, users), test=sample_users(parts.test, users))


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
