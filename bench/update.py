"""``python -m bench.update``: what an update costs, and how good it is, against a full run.

A planted shop with pictures; the old data lack one item in twenty and one interaction in twenty. For each seed there
are a run on the old data, its update to the new data, and a full run on the new data; both are measured on the new
test set. Seconds of processor time. Describing and encoding is measured once, of the old shop (scaled to the number of
items of the new one: what a full run spends) and of what an update has to do; training for each seed.

With ``--dataset FOLDER --recipe FILE`` the same on a data set of one's own that was described and encoded before, by
another recipe; then only training is timed.

Equal means: the 95 % interval over seeds (paired, Student's) of the difference in Recall@20 lies within ± the standard
deviation over seeds of the full runs. That margin was set before anything was measured. Prints one JSON document.
"""

import argparse
import json
import shutil
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, TypeVar

import numpy as np
import polars as pl

from viral.apps.demo.steps import DEMO_RECIPES, DEMO_SHOP, describe
from viral.base.files import read_json, write_json
from viral.base.provenance import commit
from viral.base.recipe import Recipe
from viral.data.dataset import Dataset, Source, write_tables
from viral.encode import encode_dataset
from viral.evaluation import PairedTest, paired_test
from viral.evaluation.protocol import measure
from viral.lab.shop import ShopConfig, make_shop
from viral.lab.study.statistics import Interval
from viral.run.bundle import Bundle
from viral.run.pipeline import BUNDLE_FOLDER, load_split, train
from viral.run.update import update
from viral.run.update.new_features import FeatureMakers, bring_caches, refresh

SHARE = 0.05
PREPARED_FILE, ROW_FILE = "prepared.json", "row.json"
T = TypeVar("T")


def main() -> None:
    """Measure once and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.update", description=__doc__)
    parser.add_argument("--users", type=int, default=DEMO_SHOP.users)
    parser.add_argument("--items", type=int, default=DEMO_SHOP.items)
    parser.add_argument("--shop", type=int, default=0, help="the seed of the shop")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--model", choices=DEMO_RECIPES, default="viral")
    parser.add_argument("--epochs", type=int, help="of the update; default: its own share")
    parser.add_argument("--dataset", type=Path, help="in the shop's place: a data set that is described and encoded")
    parser.add_argument("--recipe", type=Path, help="in the model's place: a recipe of a model of the data set")
    parser.add_argument("--work", type=Path, help="a folder to keep; the same command goes on there")
    arguments = parser.parse_args()
    work = arguments.work or Path(mkdtemp(prefix="viral-update-"))
    config = replace(DEMO_SHOP, users=arguments.users, items=arguments.items, seed=arguments.shop)
    new, old, prepared = shops(config, work) if arguments.dataset is None else before(arguments.dataset, work)
    recipe = DEMO_RECIPES[arguments.model] if arguments.recipe is None else Recipe.read(arguments.recipe)
    rows = []
    for seed in range(arguments.seeds):
        folder = work / f"seed-{seed}"
        if not (folder / ROW_FILE).is_file():
            write_json(folder / ROW_FILE, one_seed(seed, recipe, old, new, folder, arguments.epochs, prepared))
        rows.append(read_json(folder / ROW_FILE))
    told = {"users": arguments.users, "items": arguments.items, "shop": arguments.shop}
    if arguments.dataset is not None:
        told = {"dataset": arguments.dataset.name, **new.manifest["counts"]}
    found = told | {"recipe": recipe.values()} | {"commit": commit(), **summary_of(rows, prepared), "runs": rows}
    found["update against full, by user"] = asdict(against(new, work, arguments.seeds))
    print(json.dumps(found, indent=2))


def shops(config: ShopConfig, work: Path) -> tuple[Dataset, Dataset, float]:
    """The new and the old shop, the old one described and encoded, and what that would cost of the new one."""
    if not (work / PREPARED_FILE).is_file():
        for folder in ("new", "old"):
            shutil.rmtree(work / folder, ignore_errors=True)  # of a run that was stopped
        new = make_shop(work / "new", config)
        old = without_some(new, work / "old")
        spent, _ = cpu(lambda: encode_dataset(old, descriptions=describe(old)))
        spent *= new.manifest["counts"]["items"] / old.manifest["counts"]["items"]
        write_json(work / PREPARED_FILE, {"cpu seconds": spent})
    seconds = float(read_json(work / PREPARED_FILE)["cpu seconds"])
    return Dataset.open(work / "new"), Dataset.open(work / "old"), seconds


def before(dataset: Path, work: Path) -> tuple[Dataset, Dataset, float]:
    """A copy of a data set, and the data before, with the features of the items that it had."""
    if not (work / PREPARED_FILE).is_file():
        for folder in ("new", "old"):
            shutil.rmtree(work / folder, ignore_errors=True)  # of a run that was stopped
        shutil.copytree(dataset, work / "new")
        old = without_some(Dataset.open(work / "new"), work / "old")
        bring_caches(work / "new", old.path)
        encode_dataset(old, descriptions=describe(old))
        write_json(work / PREPARED_FILE, {"cpu seconds": 0.0})
    return Dataset.open(work / "new"), Dataset.open(work / "old"), 0.0


def one_seed(
    seed: int, recipe: Recipe, old: Dataset, new: Dataset, work: Path, epochs: int | None, prepared: float
) -> dict[str, Any]:
    """A run on the old data, its update and a full run."""
    if not seed and prepared:  # as if the new data had just come
        for name in ("descriptions", "features"):
            shutil.rmtree(new.path / name, ignore_errors=True)
        (new.path / "ledger.sqlite").unlink(missing_ok=True)
    seeded = replace(recipe, train=replace(recipe.train, seed=seed))
    train(old, seeded, work / "old")
    material = Bundle.load(work / "old" / BUNDLE_FOLDER).material
    bring_caches(old.path, new.path)
    described, counts = cpu(lambda: refresh(new, material, FeatureMakers()))  # at the first seed; then all is there
    updated, summary = cpu(lambda: update(work / "old", new, work / "updated", epochs=epochs))
    trained, full = cpu(lambda: train(new, seeded, work / "full"))
    return {
        "seed": seed,
        "changes": summary["update"]["changes"],
        "counts": counts,
        "epochs": {"full": full["epochs"], "update": summary["epochs"]},
        "cpu seconds": {"describe what is new": described, "update": updated, "full": trained},
        "recall@20": {"full": full["metrics"]["recall@20"], "update": summary["metrics"]["recall@20"]},
    }


def summary_of(rows: list[dict[str, Any]], prepared: float) -> dict[str, Any]:
    """Costs with and without describing, quality, and whether it is equal."""
    spent = {name: statistics.mean(row["cpu seconds"][name] for row in rows) for name in ("update", "full")}
    described = rows[0]["cpu seconds"]["describe what is new"]
    values = {name: [row["recall@20"][name] for row in rows] for name in ("update", "full")}
    found: dict[str, Any] = {
        "cost of an update over a full run": (described + spent["update"]) / (prepared + spent["full"]),
        "the same without describing and encoding": spent["update"] / spent["full"],
        "cpu seconds": {"describe and encode": {"full": prepared, "update": described}, "the rest": spent},
        "recall@20": {name: statistics.mean(of) for name, of in values.items()},
    }
    if len(rows) > 1:
        margin = statistics.stdev(values["full"])
        difference = Interval.of([u - f for u, f in zip(values["update"], values["full"], strict=True)])
        found["deviation over seeds"] = {name: statistics.stdev(of) for name, of in values.items()}
        found["update - full, over seeds"] = asdict(difference)
        if not difference.few and difference.low is not None and difference.high is not None:
            found["equal within the deviation of full runs"] = -margin < difference.low and difference.high < margin
            found["not worse by more than it"] = -margin < difference.low
    return found


def against(new: Dataset, work: Path, seeds: int) -> PairedTest:
    """Recall@20 of the updates against the full runs, user by user, each user's the mean over the seeds."""
    parts = load_split(new)

    def recalls(name: str) -> np.ndarray:
        bundles = (Bundle.load(work / f"seed-{seed}" / name / BUNDLE_FOLDER) for seed in range(seeds))
        values = [measure(b.scorer, parts)["train"].per_user["recall@20"].numpy() for b in bundles]
        return np.mean(values, axis=0)

    return paired_test(recalls("updated"), recalls("full"))


def without_some(new: Dataset, folder: Path) -> Dataset:
    """The shop before: without one item in twenty, and with as many training interactions less."""
    rng = np.random.default_rng(0)
    items, log = (pl.read_parquet(new.path / f"{name}.parquet") for name in ("items", "interactions"))
    gone = items["item_id"].gather(rng.permutation(items.height)[: round(SHARE * items.height)].tolist())
    kept = log.filter(~pl.col("item_id").is_in(gone.implode()))
    training = kept.with_row_index().filter(pl.col("split") == "train")["index"]
    missing = max(0, round(SHARE * log.height) - (log.height - kept.height))
    dropped = rng.permutation(training.to_numpy())[:missing].tolist()
    kept = kept.with_row_index().filter(~pl.col("index").is_in(dropped)).drop("index")
    folder.mkdir(parents=True)
    shutil.copytree(new.path / "images", folder / "images")
    return write_tables(folder, items.filter(~pl.col("item_id").is_in(gone.implode())), kept, Source(layout="shop"))


def cpu(work: Callable[[], T]) -> tuple[float, T]:
    """Seconds of processor time, and the result."""
    started = time.process_time()
    result = work()
    return time.process_time() - started, result


if __name__ == "__main__":
    main()
