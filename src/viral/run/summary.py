"""The summary of a run, which ``run.json`` keeps: how it was trained, and what was measured."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from viral.base.files import fingerprint, read_sealed, write_sealed
from viral.base.memory import peak_memory_bytes
from viral.data.dataset import Dataset
from viral.data.splitting import Split
from viral.evaluation import Metrics
from viral.evaluation.exposure import exposure
from viral.evaluation.protocol import PROTOCOLS, measure, measure_valid, report_metrics
from viral.evaluation.ranking import ScoreFunction
from viral.run.explain.interaction_kind import KIND, interaction_kind
from viral.run.fitted_model import FittedModel
from viral.training import TrainReport
from viral.training.item_memory import Ranker

RUN_FILE = "run.json"


def keep_summary(run: Path, summary: Mapping[str, Any]) -> None:
    """Write ``run.json``: a run that has one is finished."""
    write_sealed(run / RUN_FILE, summary)


def read_summary(run: Path) -> dict[str, Any]:
    """What ``run.json`` says of a finished run; raises ``DataError`` where it is absent, or was changed since."""
    return read_sealed(run / RUN_FILE, hint="restore it, or train again into another folder")


def summary_of(
    fitted: FittedModel[TrainReport], ranker: Ranker, dataset: Dataset, *, identity: str, production: bool
) -> dict[str, Any]:
    """All that a run says of itself: :func:`summarise` of the test set, what it was trained on, and what it shows."""
    parts, catalog = fitted.split, dataset.catalog()
    return {
        **summarise(fitted, ranker, measure(ranker.scorer, parts)),
        "identity": identity,
        "dataset": str(dataset.path),
        "reads": list(fitted.model.reads),
        **exposed(ranker.scorer, parts, lambda item_id: catalog[item_id].title),
        KIND: interaction_kind(dataset),
        "production": production,
        "tested_on": tested_on(parts),
    }


def summarise(fitted: FittedModel[TrainReport], ranker: Ranker, measured: Mapping[str, Metrics]) -> dict[str, Any]:
    """What ``viral train`` prints and ``run.json`` keeps; ``valid`` is that of what ranks, memory included."""
    recipe, report = fitted.chosen.recipe, fitted.report
    best, beside = report.best_value, {}
    if ranker.memory:
        beside["memory"] = ranker.memory | _known({"valid_without": best})
        best = measure_valid(ranker.scorer, fitted.split).get(recipe.train.monitor, float("nan"))
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


def exposed(scorer: ScoreFunction, parts: Split, title_of: Callable[[str], str]) -> dict[str, Any]:
    """How the first places are shared out among the items, as a run tells it (:mod:`viral.evaluation.exposure`)."""
    found = exposure(scorer, parts)
    return {} if found is None else {"exposure": asdict(found) | {"most_title": title_of(found.most_item)}}


def _known(values: Mapping[str, float]) -> dict[str, float]:
    """Without what could not be measured, which JSON has no number for."""
    return {name: value for name, value in values.items() if value == value}


def tested_on(parts: Split) -> dict[str, Any]:
    """What the metrics are of: two runs' numbers can be compared where this is the same."""
    pairs = parts.test.keys().tolist()
    users, items = parts.users.ids, parts.items.ids
    named = sorted((users[key // len(items)], items[key % len(items)]) for key in pairs)
    hashes = {"pairs_sha256": fingerprint(named), "items_sha256": fingerprint(sorted(items))}
    return hashes | {
        "interactions": len(pairs),
        "users": len(parts.test.users.unique()),
        "items": len(items),  # that are ranked
        "fingerprint": fingerprint(hashes),
    }
