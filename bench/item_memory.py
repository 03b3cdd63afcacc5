"""``python -m bench.item_memory DATASET --modality text``: what few weights of the memory cost on validation.

The memory alone ranks, at the defaults of ``[memory]`` with β = 100: all weights, the n largest of each item, and those
that are solved over n candidates of each item.
"""

import argparse
import time
from pathlib import Path

import torch

from viral.base.recipe import MemoryConfig, Recipe
from viral.data.dataset import Dataset
from viral.evaluation.protocol import measure_valid
from viral.models.families.closed_form import item_weights
from viral.models.families.local_weights import local_weights
from viral.models.scorers import HistoryScorer, Scorer, SparseHistoryScorer
from viral.run.pipeline import load_inputs, load_split
from viral.training.item_memory import largest

COUNTS = (20, 50, 100, 200)


def main() -> None:
    """Print one line a form: validation metrics and seconds of the processor to make it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--modality", action="append", default=[])
    options = parser.parse_args()
    dataset = Dataset.open(options.dataset)
    split = load_split(dataset)
    inputs = load_inputs(dataset, split, Recipe(model="l3ae"))
    config, names = MemoryConfig(feature_weight=100.0), tuple(options.modality)
    offsets, items = inputs.train.rows()

    def show(name: str, scorer: Scorer, started: float) -> None:
        seconds, found = time.process_time() - started, measure_valid(scorer, split)
        print(f"{name:22s} recall@20 {found['recall@20']:.4f}  ndcg@20 {found['ndcg@20']:.4f}  {seconds:6.1f} s")

    started = time.process_time()
    weights = item_weights(inputs, names, config)
    show("all", HistoryScorer(offsets, items, weights), started)
    for count in (n for n in COUNTS if n < len(weights)):
        started = time.process_time()
        show(f"{count} largest", SparseHistoryScorer(offsets, items, largest(weights, count)), started)
    del weights
    for count in COUNTS:
        started = time.process_time()
        found = local_weights(inputs, names, count, config)
        show(f"over {count} candidates", SparseHistoryScorer(offsets, items, found), started)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
