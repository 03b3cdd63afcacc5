"""``viral update``: a run goes on from a data set that has changed, and takes its place when it is done."""

import time
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

from viral.base.errors import UsageError
from viral.base.files import fingerprint, staged_folder, write_json
from viral.base.locks import alone
from viral.base.recipe import Recipe, build
from viral.data.dataset import Dataset
from viral.data.preconditions import need
from viral.run.bundle import Bundle
from viral.run.configuration import Configured, configured, refuse_foreign
from viral.run.fitted_model import fit_model_by
from viral.run.identity import IDENTITY_FILE, RECIPE_FILE
from viral.run.pipeline import BUNDLE_FOLDER, bundle_of, load_inputs, load_split
from viral.run.production import epochs_of, everything
from viral.run.summary import RUN_FILE, keep_summary, read_summary, summary_of
from viral.run.update.changes import changes_between, comparable, knows
from viral.run.update.new_features import FeatureMakers, bring_caches, dataset_of, refresh
from viral.run.update.warm_start import ContinuedReport, scratch_epochs, train_on
from viral.training.item_memory import fixed

STEPS = ("describe", "train", "measure")


def update(
    run: Path, dataset: Dataset, out: Path, *, makers: FeatureMakers | None = None, epochs: int | None = None,
    on_step: Callable[[str], None] = lambda step: None, trust_run: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Describe and encode what is new in ``dataset``, train on from ``run``, and put the new run at ``out``.

    ``out`` may be ``run`` itself: the old bundle is there, whole, until the new one takes its place in one step. The
    recipe is the run's; training starts from its parameters, row by row by id, and is short
    (:mod:`viral.run.update.warm_start`): ``epochs``, or a share of those of the run from scratch. Returns the
    summary of the new run with what changed, what was described and encoded, what was measured before, and seconds by
    stage; ``on_step`` hears of each of ``STEPS``. Raises ``DataError`` where the data hold out what the run was trained
    on, ``NoDescriber`` where what described its items is not to be had. Where ``out`` is ``run`` and nothing has
    changed, the run is left as it is, unless ``epochs`` are asked for: a command that was killed in its last moment
    trains once.
    """
    _check_place(out)
    with alone(out):
        return _update(run, dataset, out, makers, epochs, on_step, trust_run)


def _update(
    run: Path, dataset: Dataset, out: Path, makers: FeatureMakers | None, epochs: int | None,
    on_step: Callable[[str], None], trust_run: bool,
) -> dict[str, Any]:  # fmt: skip
    started, seconds = time.perf_counter(), {}
    bundle = Bundle.load(run / BUNDLE_FOLDER)
    chosen = _configured(bundle, run, trust_run)
    recipe, production = chosen.recipe, bool(bundle.about.get("production"))
    parts = everything(load_split(dataset)) if production else load_split(dataset)
    need(parts, "train", where=str(dataset.path))
    changes = changes_between(bundle, dataset.catalog(), parts)
    bring_caches(dataset_of(run), dataset.path)
    on_step("describe")
    counts = refresh(dataset, bundle.material, makers or FeatureMakers())
    seconds["describe and encode"] = time.perf_counter() - started
    inputs = load_inputs(dataset, parts, recipe)
    idle = epochs is None and run.resolve() == out.resolve() and not any((*asdict(changes).values(), *counts.values()))
    if idle and knows(bundle, dataset, inputs, parts):
        return read_summary(run) | {"unchanged": True}
    on_step("train")
    memory = fixed(recipe.memory, bundle.about.get("memory", {}))  # as it was chosen when the run began
    as_before = chosen._replace(recipe=replace(recipe, memory=memory))
    learn = partial(train_on, bundle=bundle, chosen=chosen, parts=parts, inputs=inputs, epochs=epochs)
    fitted = fit_model_by(learn, as_before, inputs, parts)
    ranker = fitted.ranker()
    on_step("measure")
    seconds["train"] = time.perf_counter() - started - seconds["describe and encode"]
    facts = _before(bundle) | {"changes": asdict(changes), "counts": counts} | _trained(bundle, recipe, fitted.report)
    identity = fingerprint("update", facts, dataset.fingerprint, chosen.plain)
    summary = summary_of(fitted, ranker, dataset, identity=identity, production=production) | _chosen(bundle)
    summary["update"] = facts | asdict(comparable(bundle.about, summary)) | {"seconds": seconds}
    made = bundle_of(replace(fitted, chosen=chosen), ranker, dataset, summary)  # with the memory as the recipe has it
    with staged_folder(out, overwrite=True) as folder:
        made.save(folder / BUNDLE_FOLDER)
        recipe.write(folder / RECIPE_FILE)
        keep_summary(folder, summary)
        write_json(folder / IDENTITY_FILE, {"identity": identity})
    return summary


def _configured(bundle: Bundle, run: Path, trust_run: bool) -> Configured:
    """The model and configuration of the run; ``UsageError`` where that would run code of somebody else's."""
    recipe = build(Recipe, bundle.about.get("recipe", {}), where="the bundle's recipe")
    if not trust_run:
        refuse_foreign(recipe.model, where=str(run))
    return configured(recipe)


def _trained(bundle: Bundle, recipe: Recipe, report: ContinuedReport) -> dict[str, Any]:
    """From what the training began: how many numbers, after how many epochs from scratch, how good on validation."""
    return {
        "carried_over": report.carried_over,
        "scratch_epochs": scratch_epochs(bundle) or len(report.history),
        "start": {} if report.start is None else {recipe.train.monitor: report.start},
    }


def _before(bundle: Bundle) -> dict[str, Any]:
    """Which run this goes on from, and what was measured of it."""
    measured = {name: bundle.about[name] for name in ("metrics", "tested_on") if name in bundle.about}
    return {"of": str(bundle.about.get("identity", "")), "before": measured}


def _chosen(bundle: Bundle) -> dict[str, Any]:
    """How many epochs from scratch validation chose, where that is known."""
    epochs = epochs_of(bundle.about)
    return {} if epochs is None else {"chosen_epochs": epochs}


def _check_place(out: Path) -> None:
    if out.exists() and not (out / RUN_FILE).is_file() and (out.is_file() or any(out.iterdir())):
        raise UsageError("the folder is not empty and holds no run", where=str(out), hint="choose another --out")
