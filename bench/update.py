"""``python -m bench.update``: what an update costs, and how good it is, against a full run.

A planted shop with pictures; the old data lack one item in twenty and one interaction in twenty. For each seed there
are a run on the old data, its update to the new data, and a full run on the new data; both are measured on the new
test set. A full run's cost is that of describing and encoding the old shop, scaled to the number of items of the new
one, and of training from scratch; an update's is all that it does. Seconds of processor time. Prints one JSON document.
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

from viral.bundle import Bundle
from viral.dataset import Dataset, Source, write_tables
from viral.demo.run import DEMO_RECIPES, DEMO_SHOP, describe
from viral.encode import encode_dataset
from viral.evaluation import PairedTest, paired_test
from viral.pipeline import BUNDLE_FOLDER, load_split, measure, train
from viral.shop import make_shop
from viral.update import update

SHARE = 0.05
T = TypeVar("T")


def main() -> None:
    """Measure once and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.update", description=__doc__)
    parser.add_argument("--users", type=int, default=DEMO_SHOP.users)
    parser.add_argument("--items", type=int, default=DEMO_SHOP.items)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--patience", type=int, help="of the update; default: the recipe's")
    parser.add_argument("--work", type=Path, help="an empty folder to keep (default: a temporary one)")
    arguments = parser.parse_args()
    work = arguments.work or Path(mkdtemp(prefix="viral-update-"))
    new = make_shop(work / "new", replace(DEMO_SHOP, users=arguments.users, items=arguments.items))
    old = without_some(new, work / "old")
    prepared, _ = cpu(lambda: encode_dataset(old, descriptions=describe(old)))
    prepared *= new.manifest["counts"]["items"] / old.manifest["counts"]["items"]
    rows = [
        one_seed(seed, old, new, work / f"seed-{seed}", prepared, arguments.patience) for seed in range(arguments.seeds)
    ]
    found: dict[str, Any] = {"users": arguments.users, "items": arguments.items, "runs": rows}
    for name in ("full", "update"):
        values = [row["recall@20"][name] for row in rows]
        deviation = statistics.stdev(values) if len(values) > 1 else None
        found[name] = {"recall@20": statistics.mean(values), "deviation over seeds": deviation}
    found["update against full, by user"] = asdict(against(new, work, arguments.seeds))
    found["cost of an update over a full run"] = statistics.mean(row["cost"] for row in rows)
    found["the same for training alone"] = statistics.mean(row["training cost"] for row in rows)
    print(json.dumps(found, indent=2))


def one_seed(
    seed: int, old: Dataset, new: Dataset, work: Path, prepared: float, patience: int | None
) -> dict[str, Any]:
    """A run on the old data, its update and a full run."""
    for name in ("descriptions", "features"):  # as if the new data had just come
        shutil.rmtree(new.path / name, ignore_errors=True)
    (new.path / "ledger.sqlite").unlink(missing_ok=True)
    recipe = replace(DEMO_RECIPES["viral"], train=replace(DEMO_RECIPES["viral"].train, seed=seed))
    train(old, recipe, work / "old")
    spent, summary = cpu(lambda: update(work / "old", new, work / "updated", patience=patience))
    trained, full = cpu(lambda: train(new, recipe, work / "full"))
    told = summary["update"]
    return {
        "seed": seed,
        "changes": told["changes"],
        "counts": told["counts"],
        "epochs": {"full": full["epochs"], "update": summary["epochs"]},
        "cpu seconds": {"update": spent, "prepare in full": prepared, "train in full": trained},
        "cost": spent / (prepared + trained),
        "training cost": sum(summary["epoch_seconds"]) / sum(full["epoch_seconds"]),
        "recall@20": {"full": full["metrics"]["recall@20"], "update": summary["metrics"]["recall@20"]},
    }


def against(new: Dataset, work: Path, seeds: int) -> PairedTest:
    """Recall@20 of the updates against the full runs, user by user, over all seeds."""
    parts = load_split(new)

    def recalls(name: str) -> np.ndarray:
        bundles = (Bundle.load(work / f"seed-{seed}" / name / BUNDLE_FOLDER) for seed in range(seeds))
        return np.concatenate([measure(b.scorer, parts)["train"].per_user["recall@20"].numpy() for b in bundles])

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
