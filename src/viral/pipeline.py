"""The hops as functions over folders: a data set becomes a run, a run is measured. The command line calls these."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, NamedTuple

import torch

from viral.blend import Ranker, finish
from viral.budget import budget_of, tell_peak, tell_sources
from viral.bundle import Bundle, make_bundle
from viral.data import ModelInputs, Split, sample_users, split
from viral.dataset import Dataset
from viral.devices import find_device
from viral.encode.table import load_features
from viral.errors import DataError, UsageError, nearest
from viral.evaluation import CUTOFFS, Metrics, evaluate
from viral.files import fingerprint, read_json, sha256_file, write_json
from viral.material import gather
from viral.memory import peak_memory_bytes
from viral.models import MODELS, Recommender
from viral.recipe import Recipe, build
from viral.training import TrainReport, build_model, fit, measure_valid

RUN_FILE, RECIPE_FILE, CHECKPOINT_FILE, BUNDLE_FOLDER = "run.json", "recipe.toml", "checkpoint.safetensors", "bundle"
PROTOCOLS = ("train", "train+valid")  # what is masked when the test set is ranked; the first is the published one


def find_model(name: str) -> type[Recommender[Any]]:
    """A model of the zoo by name, or a class outside it by ``package.module:Class``."""
    if name in MODELS:
        return MODELS[name]
    module_name, colon, class_name = name.partition(":")
    if not colon:
        raise UsageError(f"unknown model {name!r}", hint=nearest(name, MODELS) + " (or package.module:Class)")
    import importlib

    if str(Path.cwd()) not in sys.path:
        sys.path.append(
            str(Path.cwd())
        )  # a model beside the data, though the program was not started with ``python -m``
    try:
        found = getattr(importlib.import_module(module_name), class_name)
    except (ImportError, AttributeError, ValueError, TypeError) as error:
        raise UsageError(f"cannot load model {name!r} ({error})", hint="write package.module:Class") from None
    if not (isinstance(found, type) and issubclass(found, Recommender) and hasattr(found, "Config")):
        hint = "derive the class from viral.models.Recommender and name its Config"
        raise UsageError(f"{name!r} is not a Recommender", hint=hint)
    return found


class Configured(NamedTuple):
    """A recipe with nothing left to the model, and the class and the configuration that it is of."""

    model: type[Recommender[Any]]
    config: Any
    recipe: Recipe

    @property
    def whole(self) -> dict[str, Any]:
        """The recipe with every default written out: one may train by it."""
        return self.recipe.values() | {"config": asdict(self.config)}

    @property
    def plain(self) -> dict[str, Any]:
        """All that determines a run, as a key: what is not in use is left out, as it was before there was any."""
        values = self.whole
        if values["train"]["loss"] == "own":
            values["train"] = {k: v for k, v in values["train"].items() if k not in _OF_SOFTMAX}
        if values["memory"]["kind"] == "off":
            del values["memory"]
        return values


_OF_SOFTMAX = ("loss", "temperature", "sampled_items")


def configured(recipe: Recipe) -> Configured:
    """The recipe's model, by name and variant, with its configuration and all that it leaves to the model."""
    model = find_model(recipe.model).variant(recipe.config)
    config = build(model.Config, recipe.config, where=f"[config] of model {recipe.model!r}")
    known = replace(recipe, train=recipe.train.of_model(model.TRAIN), memory=recipe.memory.of_model(model.MEMORY))
    return Configured(model, config, known)


def with_words(recipe: Recipe, words: Sequence[str]) -> Recipe:
    """The recipe with ``--set`` words: a bare name is of the configuration where its model has such a field."""
    named = [word for word in words if word.partition("=")[0].strip() in ("model", "variant", "config.variant")]
    chosen = recipe.with_settings(named)
    own = {field.name for field in fields(find_model(chosen.model).variant(chosen.config).Config)}
    return recipe.with_settings(words, own)


def load_split(dataset: Dataset) -> Split:
    """The data set's split over the catalogue's items."""
    return split(dataset.interactions(), dataset.catalog().ids)


def load_inputs(dataset: Dataset, parts: Split, recipe: Recipe) -> ModelInputs:
    """Training interactions and every feature table of the data set, aligned by item id."""
    return ModelInputs.of(parts, load_features(dataset.features_folder).values(), fill=recipe.fill)


def train(
    dataset: Dataset, recipe: Recipe, out: Path | str, *, users: int | None = None, device: str = "cpu"
) -> dict[str, Any]:
    """Train a recipe on a data set and leave a run in ``out``: recipe, checkpoint, bundle, ``run.json``.

    A finished run is returned as it is, a stopped one goes on from its checkpoint; a folder that holds another run is
    a ``UsageError``. Selection sees validation only; the test set is ranked once, at the end. With ``users`` only so
    many, drawn at random, are ranked for: for logs where ranking for everybody takes longer than an epoch.
    ``device`` is no part of what the run is (:mod:`viral.devices`).
    """
    out = Path(out)
    chosen = configured(recipe)
    recipe = chosen.recipe
    find_device(device)  # before the folder is claimed
    identity = _claim(dataset, chosen, out, users)
    if (out / RUN_FILE).is_file():
        return dict(read_json(out / RUN_FILE))
    parts = _ranked_for(load_split(dataset), users)
    inputs = load_inputs(dataset, parts, recipe)
    model = build_model(chosen.model, inputs, chosen.config, recipe.train.seed)
    tell_sources(model, inputs)
    budget = budget_of(model)
    budget.tell()
    report = fit(model, parts, recipe.train, checkpoint=out / CHECKPOINT_FILE, device=device)
    ranker = finish(model, inputs, parts, recipe.train, recipe.memory)
    scorer = ranker.scorer
    summary = summarise(recipe, report, measure(scorer, parts), ranker, parts)
    summary |= {"identity": identity, "dataset": str(dataset.path), "reads": list(model.reads)}
    summary["least_memory_bytes"] = budget.training + budget.ranking
    tell_peak(budget)
    about = {"recipe": recipe.values(), "counts": dict(dataset.manifest["counts"])} | summary
    material = gather(model, inputs, dataset, parts.items.ids)
    made = make_bundle(scorer, dataset.catalog(), parts.users, parts.items, parts.train, about, material)
    made.save(out / BUNDLE_FOLDER)
    write_json(out / RUN_FILE, summary)
    (out / CHECKPOINT_FILE).unlink(missing_ok=True)
    return summary


def _ranked_for(parts: Split, users: int | None) -> Split:
    """The split with validation and test of so many users alone, or of all."""
    if users is None:
        return parts
    return replace(parts, valid=sample_users(parts.valid, users), test=sample_users(parts.test, users))


def _claim(dataset: Dataset, chosen: Configured, out: Path, users: int | None) -> str:
    """Make ``out`` the folder of this run, or refuse when it is another's; returns what the run depends on."""
    features = {path.name: sha256_file(path) for path in sorted(dataset.features_folder.glob("*.parquet"))}
    tables = {name: sha256_file(dataset.path / name) for name in dataset.manifest["hashes"]}  # the manifest may be old
    sampled = () if users is None else (users,)
    given = chosen.plain | {"config": dict(chosen.recipe.config)}  # without defaults, as always: old runs stay found
    identity = fingerprint(fingerprint(tables), features, given, *sampled)
    claim = out / "identity.json"
    if claim.is_file():
        if read_json(claim)["identity"] != identity:
            raise UsageError(
                "this folder holds a run of another recipe, or of data that have changed since",
                where=str(out),
                hint="choose another --out, or delete the folder",
            )
    elif out.is_file() or (out.exists() and any(out.iterdir())):
        raise UsageError("the folder is not empty and holds no run", where=str(out), hint="choose another --out")
    else:
        write_json(claim, {"identity": identity})
    if not (out / RECIPE_FILE).is_file():
        chosen.recipe.write(out / RECIPE_FILE)
    return identity


def measure(scorer: Any, parts: Split, *, name: str = "test") -> dict[str, Metrics]:
    """Metrics of one split under both protocols: only train masked (published), and validation masked too."""
    held_out = parts.part(name)
    if name == "train":
        empty = type(held_out)(held_out.users[:0], held_out.items[:0], held_out.num_users, held_out.num_items)
        return {"none": evaluate(scorer, held_out, empty)}
    measured = {"train": evaluate(scorer, held_out, parts.train)}
    if name == "test":
        measured["train+valid"] = evaluate(scorer, held_out, parts.train.union(parts.valid))
    return measured


def report_metrics(measured: Mapping[str, Metrics], name: str, *, mask: str) -> dict[str, Any]:
    """The JSON form of metrics: those of the chosen protocol, and all protocols beside."""
    chosen = measured[mask if mask in measured else next(iter(measured))]
    return {
        "metrics": chosen.mean(),
        "split": name,
        "users": len(chosen.users),
        "cutoffs": list(CUTOFFS),
        "masked": mask if mask in measured else next(iter(measured)),
        "protocols": {protocol: metrics.mean() for protocol, metrics in measured.items()},
    }


def summarise(
    recipe: Recipe, report: TrainReport, measured: Mapping[str, Metrics], ranker: Ranker, parts: Split
) -> dict[str, Any]:
    """What ``viral train`` prints and ``run.json`` keeps; ``valid`` is that of what ranks, memory included."""
    best, beside = report.best_value, {}
    if ranker.memory:
        beside["memory"] = ranker.memory | {"valid_without": best}
        best = measure_valid(ranker.scorer, parts)[recipe.train.monitor]
    return beside | {
        "model": recipe.model,
        "seed": recipe.train.seed,
        **report_metrics(measured, "test", mask=PROTOCOLS[0]),
        "valid": {"best_epoch": report.best_epoch} | _known({recipe.train.monitor: best}),
        "epochs": len(report.history),
        "stopped_because": report.stopped_because,
        "epoch_seconds": report.epoch_seconds,
        "valid_seconds": [record.valid_seconds for record in report.history],
        "num_parameters": report.num_parameters,
        "peak_memory_bytes": peak_memory_bytes(),
        "history": [asdict(record) for record in report.history],
    }


def _known(values: Mapping[str, float]) -> dict[str, float]:
    """Without what could not be measured, which JSON has no number for."""
    return {name: value for name, value in values.items() if value == value}


def evaluate_run(
    run: Path, *, name: str = "test", mask: str = PROTOCOLS[0], dataset: Path | None = None, users: int | None = None
) -> dict[str, Any]:
    """Rank again from a run's bundle and measure one split of its data set, for ``users`` drawn at random or all."""
    bundle = Bundle.load(run / BUNDLE_FOLDER)
    opened = Dataset.open(dataset or Path(read_json(run / RUN_FILE)["dataset"]))
    parts = load_split(opened)
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
    measured = measure(bundle.scorer, _ranked_for(parts, users), name=name)
    return {"model": bundle.about["model"], **report_metrics(measured, name, mask=mask)}
