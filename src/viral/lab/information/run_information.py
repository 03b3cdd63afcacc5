"""What `viral information RUN` finds: the parts overall and by item, the model's own, and what its branches hold."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from viral.base.errors import DataError, UsageError
from viral.base.files import read_json
from viral.base.progress import stage
from viral.data.dataset import Dataset
from viral.data.features import load_features
from viral.data.inputs import ModelInputs
from viral.data.preconditions import LACKS
from viral.data.splitting import Split, split
from viral.lab.information.branch_content import carried, contributions, probes
from viral.lab.information.choice_pairs import NEGATIVES
from viral.lab.information.decomposition import PARTS, FloatArray
from viral.lab.information.estimation import InformationEstimate
from viral.lab.information.estimator_limits import LIMITS
from viral.lab.information.item_parts import item_parts
from viral.lab.information.log_measures import (
    InformationSettings,
    Scored,
    by_clusters,
    by_scores,
    everything,
    require_one,
    score_pairs,
)
from viral.lab.information.planted_truth import planted_attributes, truth_of
from viral.lab.information.predicted_choices import log_factors
from viral.lab.shop.config import TRUTH_FILE, ShopConfig
from viral.models.scorers import Vectors
from viral.run.bundle import Bundle

TEXTS = ("text", "title")  # what may carry the words
VISUAL = ("description", "image")  # what may carry the picture, the first that is there
ATTRIBUTES = ("colour", "origin", "pattern", "xor", "text_bit", "picture_bit")


def information(
    run: Path,
    settings: InformationSettings,
    *,
    text: str | None = None,
    visual: str | None = None,
    dataset: Path | None = None,
) -> dict[str, Any]:
    """Measure a run's data and model; one JSON document.

    ``text`` and ``visual`` name modalities of the data set, else those that the run's recipe names or its model reads.
    Raises ``DataError`` where the data are not the run's, lack a modality, or are too few for every number of cells.
    """
    bundle = Bundle.load(run / "bundle" if (run / "bundle").is_dir() else run)
    opened = Dataset.open(dataset or Path(str(bundle.about.get("dataset", ""))))
    parts = split(opened.interactions(), opened.catalog().ids)
    if parts.users != bundle.users or parts.items != bundle.items:
        hint = "name the data set that the run was trained on: --dataset"
        raise DataError("the data set's users or items are not the run's", where=str(opened.path), hint=hint)
    if bundle.about.get("production"):
        what = f"{LACKS['test']}, as the run learnt from every interaction"
        raise DataError(what, where=str(run), hint="measure the run that it took its epochs from")
    names = _modalities(bundle, opened, text, visual)
    inputs = ModelInputs.of(parts, [load_features(opened.features_folder)[name] for name in names])
    features = tuple(inputs.feature(name).double().numpy() for name in names)
    with stage("information"):
        found = measure(parts, (features[0], features[1]), bundle, settings)
    document = {"sources": {"text": names[0], "visual": names[1]}, "settings": asdict(settings), **found}
    return document | _planted(opened, bundle, parts, settings.seed) | {"limits": dict(LIMITS)}


def measure(
    parts: Split, features: tuple[FloatArray, FloatArray], bundle: Bundle, settings: InformationSettings
) -> dict[str, Any]:
    """The estimates, the items' parts, the model's parts and what its branches are made of."""
    scored = score_pairs(parts, features, settings.seed)
    estimates = {f"scores/{kind}": by_scores(scored[kind], settings) for kind in NEGATIVES}
    profiles = _profiles(bundle, parts)
    for kind in NEGATIVES:
        estimates[f"clusters/{kind}"] = by_clusters(parts, features, profiles, settings, kind)
    require_one(estimates)
    model: dict[str, Any] = {}
    vectors = bundle.scorer.vectors
    if vectors is not None and vectors.parts:
        model["parts"] = contributions(bundle.scorer, parts.valid.union(parts.test))
        branches = branch_tables(vectors)
        model["branches"] = {name: carried(x, *features, seed=settings.seed) for name, x in branches.items()}
    json = {
        name: {
            str(count): e.to_json() if isinstance(e, InformationEstimate) else {"refused": e}
            for count, e in by_count.items()
        }
        for name, by_count in estimates.items()
    }
    interactions = len(everything(parts))
    return {
        "target": {"positives": interactions, "negatives_per_positive": 1, "negatives": list(NEGATIVES)},
        "estimates": json,
        "items": _items(scored["uniform"], bundle, settings),
        "model": model,
    }


def branch_tables(scorer: Vectors) -> dict[str, FloatArray]:
    """The item side of every named part of a score, (I, D) by name."""
    return {name: scorer.items[:, start:stop].double().numpy() for name, (start, stop) in scorer.parts.items()}


def _modalities(bundle: Bundle, dataset: Dataset, text: str | None, visual: str | None) -> tuple[str, str]:
    there = sorted(path.stem for path in dataset.features_folder.glob("*.parquet"))
    config, read = bundle.about.get("recipe", {}).get("config", {}), bundle.about.get("reads", ())
    text = text or config.get("text") or next((name for name in read if name in TEXTS), TEXTS[0])
    seen = [*(name for name in read if name in VISUAL), *(name for name in VISUAL if name in there), VISUAL[0]]
    visual = visual or config.get("visual") or seen[0]
    for name in (text, visual):
        if name not in there:
            hint = (
                f"there is: {', '.join(there) or 'nothing; run `viral enrich` and `viral encode`'}; --text and --visual"
            )
            raise DataError(f"no {name!r} features", where=str(dataset.features_folder), hint=hint)
    if text == visual:
        raise UsageError(f"text and visual are both {text!r}", hint="name two modalities: --text and --visual")
    return text, visual


def _profiles(bundle: Bundle, parts: Split) -> FloatArray:
    """Users by what the run learnt of them in training, or by the training log where the model has no vectors."""
    vectors = bundle.scorer.vectors
    return log_factors(parts.train) if vectors is None else vectors.users.double().numpy()


def _items(scored: Scored, bundle: Bundle, settings: InformationSettings) -> list[dict[str, Any]]:
    """Every item's parts, the most informative first."""
    count = sorted(settings.clusters)[len(settings.clusters) // 2]
    found = item_parts(scored.labels(count), scored.pairs, len(bundle.items))
    broja, common, pairs = found["broja"], found["common"], found["pairs"]["count"]
    total = np.sum([broja[name] for name in PARTS], axis=0)
    rows = []
    for item in np.argsort(-np.nan_to_num(total, nan=-np.inf), kind="stable").tolist():
        if pairs[item] > 0:
            row = {"item_id": bundle.items.ids[item], "title": bundle.titles[item], "pairs": int(pairs[item])}
            parts = {"broja": broja, "common": common}
            rows.append(row | {k: {n: float(v[n][item]) for n in PARTS} for k, v in parts.items()})
    return rows


def _planted(dataset: Dataset, bundle: Bundle, parts: Split, seed: int) -> dict[str, Any]:
    """The truth of a planted shop and what each branch knows of it; nothing for other data."""
    if not (dataset.path / TRUTH_FILE).is_file():
        return {}
    options = read_json(dataset.path / "manifest.json")["source"]["options"]
    config = ShopConfig(**options)
    truth = truth_of([weight / config.temperature for weight in config.weights])
    planted: dict[str, Any] = {"truth": asdict(truth), "weights": dict(zip(PARTS, config.weights, strict=True))}
    vectors = bundle.scorer.vectors
    if vectors is not None and vectors.parts:
        attributes = planted_attributes(dataset, parts.items.ids, ATTRIBUTES)
        planted["probes"] = probes(branch_tables(vectors), attributes, seed=seed)
    return {"planted": planted}
