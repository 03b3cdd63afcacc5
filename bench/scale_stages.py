"""One stage of ``bench.scale``, in this process: prints its seconds and memory as a line of JSON."""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

WIDTH, NOISE = 384, 0.5
TOLD = {  # what the vectors of a modality tell, as the words would
    "text": ("object", "colour", "origin", "text_bit"),
    "description": ("object", "colour", "pattern", "picture_bit"),
}


def shop(folder: Path, size: argparse.Namespace) -> dict[str, Any]:
    """The planted shop without pictures, and its tables as somebody else would have them: CSV."""
    from viral.lab.shop import ShopConfig, make_shop

    config = ShopConfig(
        users=size.users, items=size.items, interactions_per_user=size.interactions / size.users, pictures=False
    )
    made = make_shop(folder / "shop", config, overwrite=True)
    (folder / "source").mkdir(exist_ok=True)
    made.interactions().select("user_id", "item_id").write_csv(folder / "source" / "interactions.csv")
    items = pl.read_parquet(made.path / "items.parquet").select("item_id", "title", "text", "category")
    items.write_csv(folder / "source" / "items.csv")
    return dict(made.manifest["counts"])


def import_(folder: Path, size: argparse.Namespace) -> dict[str, Any]:
    """CSV to a data set folder, split at random."""
    from viral.data.importers import import_table

    return dict(import_table(folder / "source", folder / "data", overwrite=True).manifest["counts"])


def features(folder: Path, size: argparse.Namespace) -> dict[str, Any]:
    """Vectors drawn directly: a direction for every value that the words tell, and noise (see ``TOLD``)."""
    from viral.data.features import FeatureTable

    truth = pl.read_parquet(folder / "shop" / "truth.parquet")
    (folder / "data" / "features").mkdir(exist_ok=True)
    rng = np.random.default_rng(0)
    for modality, attributes in TOLD.items():
        values = NOISE * rng.standard_normal((truth.height, WIDTH), dtype=np.float32)
        for attribute in attributes:
            codes = truth[attribute].rank("dense").to_numpy().astype(np.int64) - 1
            values += rng.standard_normal((int(codes.max()) + 1, WIDTH), dtype=np.float32)[codes]
        table = FeatureTable(tuple(truth["item_id"].to_list()), modality, values, "drawn")
        table.save(folder / "data" / "features")
    return {"width": WIDTH}


def user_graph(folder: Path, size: argparse.Namespace) -> dict[str, Any]:
    """The 40 users who share most with each."""
    from viral.graph import bipartite_adjacency, user_neighbors

    train = _split(folder).train
    started = time.perf_counter()
    neighbors = user_neighbors(train, 40)
    built = time.perf_counter() - started
    bipartite_adjacency(train)
    return {"users_with_neighbors": int((neighbors.sizes > 0).sum()), "graph_seconds": built}


def item_graph(folder: Path, size: argparse.Namespace) -> dict[str, Any]:
    """The ten items nearest to each, by both modalities."""
    from viral.data.features import load_features
    from viral.graph import knn_graph

    tables = load_features(folder / "data" / "features")
    return {name: knn_graph(_tensor(table.values), 10).shape[0] for name, table in tables.items()}


def lightgcn(folder: Path, size: argparse.Namespace) -> dict[str, Any]:
    """Some epochs with one validation, the bundle, and the test of so many users."""
    return _train(folder, size, "lightgcn")


def viral(folder: Path, size: argparse.Namespace) -> dict[str, Any]:
    """The same of VIRAL as it is by default, which aligns a sample of the items."""
    return _train(folder, size, "viral")


def evaluate(folder: Path, size: argparse.Namespace) -> dict[str, Any]:
    """The test of so many users again, from VIRAL's bundle."""
    from viral.run.pipeline import evaluate_run

    result = evaluate_run(folder / "run-viral", users=size.ranked)
    return {"users": result["users"], "metrics": result["metrics"]}


def _train(folder: Path, size: argparse.Namespace, model: str) -> dict[str, Any]:
    from viral.base.recipe import Recipe
    from viral.data.dataset import Dataset
    from viral.run.pipeline import train

    dataset = Dataset.open(folder / "data")
    batch = max(256, -(-dataset.manifest["counts"]["train"] // size.steps))
    words = (f"batch_size={batch}", f"max_epochs={size.epochs}", f"evaluate_every={size.epochs}")
    summary = train(dataset, Recipe(model=model).with_settings(words), folder / f"run-{model}", users=size.ranked)
    kept = ("epoch_seconds", "valid_seconds", "users", "metrics")
    return {"batch_size": batch} | {key: summary[key] for key in kept}


def _split(folder: Path) -> Any:
    from viral.data.dataset import Dataset
    from viral.run.pipeline import load_split

    return load_split(Dataset.open(folder / "data"))


def _tensor(values: np.ndarray) -> Any:
    import torch

    return torch.from_numpy(values.copy())


RUN: dict[str, Callable[[Path, argparse.Namespace], dict[str, Any]]] = {
    "shop": shop,
    "import": import_,
    "features": features,
    "user graph": user_graph,
    "item graph": item_graph,
    "lightgcn": lightgcn,
    "viral": viral,
    "evaluate": evaluate,
}


def main() -> None:
    """Run one stage; the imports that every stage needs are done before the clock starts."""
    import viral.run.pipeline  # noqa: F401
    from viral.base.memory import peak_memory_bytes

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", choices=RUN)
    parser.add_argument("folder", type=Path)
    for name in ("users", "items", "interactions", "epochs", "ranked", "steps"):
        parser.add_argument(f"--{name}", type=int, required=True)
    arguments = parser.parse_args()
    before, started = peak_memory_bytes(), time.perf_counter()
    cpu = time.process_time()
    told = RUN[arguments.stage](arguments.folder, arguments)
    peak = peak_memory_bytes()
    result = {
        "interactions": arguments.interactions,
        "seconds": time.perf_counter() - started,
        "processor_seconds": time.process_time() - cpu,
        "peak_bytes": peak,
        "extra_bytes": peak - before,
        **told,
    }
    print(json.dumps(result | {"interactions": arguments.interactions}))


if __name__ == "__main__":
    main()
