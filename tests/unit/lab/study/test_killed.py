"""A study that is killed with no warning goes on inside the cell where it was."""

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from viral.base.recipe import Recipe, TrainConfig
from viral.lab.study import TrainingCell, run_cells
from viral.training.checkpoint import load_checkpoint
from worlds import dataset_folder, two_tastes

EPOCHS = 20


def cells() -> list[TrainingCell]:
    config = {"embedding_dim": 4, "hidden_dim": 4, "num_neighbors": 3}
    return [
        TrainingCell(name="row", group="study", recipe=Recipe(model="viral", config=config, train=training_of(seed)))
        for seed in range(2)
    ]


def training_of(seed: int) -> TrainConfig:
    return TrainConfig(max_epochs=EPOCHS, batch_size=64, patience=1000, seed=seed)


def journal(out: Path, event: str) -> Counter:
    lines = (out / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    return Counter(entry["key"] for entry in map(json.loads, lines) if entry["event"] == event)


SCRIPT = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[3:]
from test_killed import cells
from viral.training import loop as training
from viral.data.dataset import Dataset
from viral.lab.study import run_cells
training.CHECKPOINT_SECONDS = 0
run_cells(Dataset.open(sys.argv[1]), cells(), Path(sys.argv[2]))
"""


def test_a_killed_study_goes_on_inside_the_cell_where_it_was(tmp_path):
    dataset, out = dataset_folder(tmp_path / "world", two_tastes(12)), tmp_path / "study"
    here = Path(__file__).parent
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, dataset.path, out, here, here.parents[2]])
    try:
        checkpoint = wait_for_second_cell(out, process)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert len(journal(out, "finished")) == 1
    trained = load_checkpoint(checkpoint)[1]["history"]

    results = [outcome.result for outcome in run_cells(dataset, cells(), out)]
    assert list(journal(out, "finished").values()) == [1] * 2, "each cell is computed exactly once"
    assert Counter(journal(out, "started").values()) == Counter({1: 1, 2: 1})
    stopped = next(result for result in results if result.folder == checkpoint.parent)
    clocked = [record["seconds"] for record in stopped.summary["history"]]
    assert clocked[: len(trained)] == [record["seconds"] for record in trained], "those epochs are not trained again"
    assert len(clocked) == EPOCHS and not checkpoint.exists()
    assert not list(out.rglob(".*")), "nothing half written is left"

    whole = run_cells(dataset, [cells()[stopped.summary["seed"]]], tmp_path / "whole")[0].result
    assert whole.summary["metrics"] == stopped.summary["metrics"], "as if it had never been stopped"
    assert (whole.folder / "users.parquet").read_bytes() == (stopped.folder / "users.parquet").read_bytes()


def wait_for_second_cell(out: Path, process: subprocess.Popen) -> Path:
    """The checkpoint of the second cell, once it has trained some epochs."""
    deadline = time.monotonic() + 300  # a loaded machine takes its time to import torch
    while time.monotonic() < deadline and process.poll() is None:
        if (out / "journal.jsonl").exists():
            started, finished = journal(out, "started"), journal(out, "finished")
            waiting = [key for key in started if key not in finished]
            if len(finished) == 1 and waiting and (out / "cells" / waiting[0] / "checkpoint.safetensors").exists():
                return out / "cells" / waiting[0] / "checkpoint.safetensors"
        time.sleep(0.005)
    raise AssertionError("the study did not get so far")
