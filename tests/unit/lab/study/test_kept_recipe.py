"""A cell's result says of which recipe it is, whole; one that an older version left is completed without training."""

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from viral.base.files import fingerprint
from viral.base.recipe import MemoryConfig, Recipe, TrainConfig, build
from viral.lab.study import TrainingCell, run_cells
from viral.lab.study.kept_results import RESULT_FILE
from viral.run.configuration import configured, find_model
from worlds import dataset_folder, two_tastes

BPR = Recipe(model="bpr", config={"embedding_dim": 4}, train=TrainConfig(max_epochs=1, batch_size=64, seed=3))
CELL = TrainingCell(name="row", group="study", recipe=BPR)


def without_recipe(summary: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in summary.items() if name not in ("recipe", "model_key")}


@pytest.mark.parametrize(
    ("model", "train", "memory"),
    [
        ("bpr", {}, MemoryConfig()),
        ("viral", {"loss": "own"}, MemoryConfig(kind="off")),  # neither is what its model has
        ("viral", {}, MemoryConfig(kind="ease", weight=1.0, features=("text",))),
    ],
)
def test_a_result_keeps_its_whole_recipe(
    model: str, train: dict[str, Any], memory: MemoryConfig, tmp_path: Path
) -> None:
    dataset = dataset_folder(tmp_path / "world", two_tastes(12))
    cell = replace(CELL, recipe=replace(BPR, model=model, train=replace(BPR.train, **train), memory=memory))
    result = run_cells(dataset, [cell], tmp_path / "study")[0].result
    recipe = json.loads((result.folder / RESULT_FILE).read_text())["recipe"]
    assert recipe["train"]["seed"] == 3 and recipe["config"]["embedding_dim"] == 4 and recipe["fill"] == "mean"
    assert set(recipe["config"]) == {f.name for f in fields(find_model(model).Config)}  # defaults, too
    again = build(Recipe, recipe, where=RESULT_FILE)
    assert again.fingerprint == fingerprint(recipe)
    found, wanted = configured(again), configured(cell.recipe)
    assert (found.model, found.config, found.whole) == (
        wanted.model,
        wanted.config,
        wanted.whole,
    )  # one may train by it


def test_one_without_is_completed_and_not_computed_again(tmp_path: Path) -> None:
    dataset, out = dataset_folder(tmp_path / "world", two_tastes(12)), tmp_path / "study"
    result = run_cells(dataset, [CELL], out)[0].result
    (result.folder / RESULT_FILE).write_text(json.dumps(without_recipe(result.summary)))
    again = run_cells(dataset, [CELL], out)[0].result
    assert again.summary == result.summary and "recipe" in again.summary
    assert (out / "journal.jsonl").read_text().count('"started"') == 1
