"""`viral compare --cold`: each cell once, a killed study goes on, models from outside, intervals over users."""

import csv
import json
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from makers import write
from viral.base.errors import UsageError, ViralError
from viral.base.recipe import Recipe, TrainConfig
from viral.data.dataset import Dataset
from viral.lab.study import read_study, run_cells
from viral.lab.study.cold import cold_cells as cells_module
from viral.lab.study.cold.cold_cells import CONTENT, RANDOM, ColdCell, cold_cells, recalls_of
from viral.lab.study.cold.cold_rows import cold_rows
from viral.lab.study.cold.cold_study import compare_cold
from viral.lab.study.cold.withheld_items import PLACES
from viral.lab.study.runner import Outcome
from worlds import dataset_folder, two_tastes

SMALL = {"embedding_dim": 4, "hidden_dim": 4, "crossmodal_dim": 4, "num_neighbors": 3}
EPOCHS = 12
LIGHT = Recipe(model="lightgcn", config={"embedding_dim": 4}, train=TrainConfig(max_epochs=2, batch_size=256))
FILE = '''"""Everybody likes what is popular."""

from viral.models.baselines.popularity import Popularity


class Mine(Popularity):
    Config = Popularity.Config
'''


def viral() -> Recipe:
    train = TrainConfig(max_epochs=EPOCHS, batch_size=64, patience=1000)
    return Recipe(model="viral", config={**SMALL, "variant": "light"}, train=train)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return dataset_folder(tmp_path_factory.mktemp("cold") / "world", two_tastes(60))


def journal(out: Path, event: str) -> Counter:
    lines = (out / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    return Counter(entry["key"] for entry in map(json.loads, lines) if entry["event"] == event)


def test_a_finished_cell_is_never_computed_again(world: Dataset, tmp_path: Path) -> None:
    first = compare_cold(world, {"light": LIGHT}, tmp_path, seeds=(0, 1), command="viral compare …")
    assert set(journal(tmp_path, "finished").values()) == {1} and len(journal(tmp_path, "finished")) == 6
    again = compare_cold(world, {"light": LIGHT, "pop": Recipe(model="popularity")}, tmp_path, seeds=(0, 1, 2))
    assert Counter(journal(tmp_path, "started").values()) == {1: 12}  # 6 more: the third seed, and the new row
    assert [row.name for row in again.rows] == [RANDOM, CONTENT, "light", "pop"]
    assert first.rows[2].seeds == (0, 1) and again.rows[2].seeds == (0, 1, 2)
    cell = next((tmp_path / "cells").iterdir())
    (cell / "users.parquet").write_bytes(b"damaged")
    compare_cold(world, {"light": LIGHT}, tmp_path, seeds=(0, 1, 2))
    assert journal(tmp_path, "started")[cell.name] == 2


def test_renew_computes_what_other_code_computed(
    world: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = cold_cells({}, (0,), 0.1)
    run_cells(world, cells, tmp_path)
    run_cells(world, cells, tmp_path, renew=True)
    assert set(journal(tmp_path, "started").values()) == {1}
    monkeypatch.setattr(cells_module, "code_of_modules", lambda names: "other")
    run_cells(world, cells, tmp_path)
    assert "2 of those that are done are of other code" in capsys.readouterr().err
    found = run_cells(world, cells, tmp_path, renew=True)
    assert set(journal(tmp_path, "started").values()) == {2} and all(outcome.result for outcome in found)


def test_the_files(world: Dataset, tmp_path: Path) -> None:
    study = compare_cold(world, {"light": LIGHT}, tmp_path, seeds=(0, 1), command="viral compare <world>")
    kept = json.loads((tmp_path / "cold.json").read_text())
    assert kept == json.loads(json.dumps(study.to_json()))
    assert read_study(tmp_path) == study
    with (tmp_path / "cold.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [(line["row"], line["place"]) for line in lines] == [
        (name, place) for name in (RANDOM, CONTENT, "light") for place in PLACES
    ]
    light = study.rows[2].places["all"]
    line = next(line for line in lines if (line["row"], line["place"]) == ("light", "all"))
    assert float(line["recall@20"]) == light.recall.mean and float(line["p_holm"]) == light.against.p_holm
    assert float(line["times_random"]) == light.ratio.mean and line["seeds"] == "0 1"
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "viral compare &lt;world&gt;" in page and "light (neighbors)" in page


def test_a_users_value_is_the_mean_over_seeds(world: Dataset, tmp_path: Path) -> None:
    outcomes = run_cells(world, cold_cells({"light": LIGHT}, (0, 1), 0.5), tmp_path)
    row = cold_rows(outcomes)[2]
    by_user: dict[str, list[float]] = {}
    seeds = []
    for outcome in outcomes[-2:]:
        ids, values = recalls_of(outcome.result)["neighbors"]["withheld"]
        seeds.append(values.mean())
        for user, value in zip(ids, values, strict=True):
            by_user.setdefault(user, []).append(value)
    means = np.array([np.mean(values) for values in by_user.values()])
    place = row.places["withheld"]
    assert place.recall.mean == pytest.approx(means.mean()) and place.users == len(by_user) == 60
    error = means.std(ddof=1) / np.sqrt(60)  # of sixty users, not of a hundred and twenty values
    assert place.recall.high - place.recall.low == pytest.approx(2 * 1.96 * error, rel=0.15)
    assert place.ratio.mean == pytest.approx(means.mean() / (20 / 30))
    assert place.over_seeds.mean == pytest.approx(np.mean(seeds)) and place.over_seeds.n == 2


def test_holms_correction_is_over_the_rows_of_a_place(world: Dataset, tmp_path: Path) -> None:
    recipes = {"light": LIGHT, "pop": Recipe(model="popularity"), "knn": Recipe(model="itemknn")}
    rows = cold_rows(run_cells(world, cold_cells(recipes, (0,), 0.5), tmp_path))
    assert rows[0].places["all"].against is None is rows[1].places["all"].against
    found = [row.places["all"].against for row in rows[2:]]
    smallest = min(found, key=lambda one: one.test.p_value)
    assert smallest.p_holm == pytest.approx(min(1.0, 3 * smallest.test.p_value)) and len(found) == 3


def test_a_failure_is_told_and_ends_nothing_else(
    world: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compute = ColdCell.compute

    def fail(cell: ColdCell, *words: Any) -> Any:
        if cell.name == "light" and cell.seed == 1:
            raise ViralError("no luck")
        return compute(cell, *words)

    monkeypatch.setattr(ColdCell, "compute", fail)
    study = compare_cold(world, {"light": LIGHT}, tmp_path, seeds=(0, 1))
    assert study.failures == ["light, seed 1: no luck"] and study.rows[2].seeds == (0,)
    monkeypatch.undo()
    assert compare_cold(world, {"light": LIGHT}, tmp_path, seeds=(0, 1)).failures == []
    nothing = cold_rows([Outcome(cold_cells({"light": LIGHT}, (0,), 0.1)[2], None, "why")])
    assert nothing[0].places == {} and nothing[0].failures == ("seed 0: why",)


def test_a_model_from_outside(world: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "my_cold_model.py", FILE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    try:
        rows = compare_cold(world, {"mine": Recipe(model="my_cold_model:Mine")}, tmp_path / "out", seeds=(0,)).rows
    finally:
        sys.modules.pop("my_cold_model", None)
    assert (rows[2].name, rows[2].model, rows[2].way) == ("mine", "my_cold_model:Mine", "neighbors")


def test_words_that_are_wrong(world: Dataset, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown model 'lightgnc'"):
        compare_cold(world, {"light": Recipe(model="lightgnc")}, tmp_path)
    with pytest.raises(UsageError, match="cannot be called 'random'"):
        compare_cold(world, {RANDOM: LIGHT}, tmp_path)
    with pytest.raises(UsageError, match="withholds 0 of 60"):
        compare_cold(world, {"light": LIGHT}, tmp_path, share=0.001)
    assert not (tmp_path / "cells").exists()


SCRIPT = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[3:]
from test_cold import viral
from viral.training import loop as training
from viral.data.dataset import Dataset
from viral.lab.study.cold.cold_study import compare_cold
training.CHECKPOINT_SECONDS = 0
compare_cold(Dataset.open(sys.argv[1]), {"viral": viral()}, Path(sys.argv[2]), seeds=(0,))
"""


def test_a_killed_study_goes_on_inside_the_cell_where_it_was(world: Dataset, tmp_path: Path) -> None:
    out, here = tmp_path / "study", Path(__file__).parent
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, world.path, out, here, here.parents[2]])
    deadline = time.monotonic() + 300  # a loaded machine takes its time to import torch
    try:
        while not (there := list(out.glob("cells/*/checkpoint.safetensors"))) and time.monotonic() < deadline:
            assert process.poll() is None, "the study ended before it was killed"
            time.sleep(0.005)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    before = journal(out, "finished")
    assert len(before) == 2 and there, "random order and content are done, training has begun"
    study = compare_cold(world, {"viral": viral()}, out, seeds=(0,))
    assert list(journal(out, "finished").values()) == [1] * 3, "each cell is computed exactly once"
    assert all(journal(out, "started")[key] == 1 for key in before)
    assert [row.way for row in study.rows] == ["", "", "own", "neighbors"]
    assert not list(out.rglob(".*")) and not list(out.glob("cells/*/checkpoint.safetensors"))
    whole = compare_cold(world, {"viral": viral()}, tmp_path / "whole", seeds=(0,))
    assert [row.places for row in whole.rows] == [row.places for row in study.rows], "as if it had never been stopped"
