"""Two trainings side by side: every setting that differs and no other, whoever kept the recipe; and who reads it."""

import asyncio
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pages_world import Tree, make_run, opened
from viral.apps.serve.pages import experiments
from viral.apps.serve.pages.rendering import quoted
from viral.base.recipe import Recipe, TrainConfig
from viral.lab.study import compare
from worlds import dataset_folder, two_tastes

LIGHT = Recipe(model="lightgcn", config={"embedding_dim": 4}, train=TrainConfig(max_epochs=1, batch_size=256))
RECIPES = {
    "light": LIGHT,
    "shallow": replace(LIGHT, config={**LIGHT.config, "num_layers": 2}),
    "spelt out": replace(LIGHT, config={**LIGHT.config, "num_layers": 3}),  # the default
    "slow": replace(LIGHT, train=replace(LIGHT.train, learning_rate=0.0005), fill="zero"),
    "pop": Recipe(model="popularity", train=TrainConfig(max_epochs=1)),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data in ``tastes``, a run in ``served``, the study in ``board``, and in ``old`` what an old version left."""
    folder = tmp_path_factory.mktemp("pairs")
    data = dataset_folder(folder / "tastes", two_tastes(20))
    make_run(data, folder / "served", "popularity")
    compare(data, RECIPES, folder / "board", seeds=(0,))
    shutil.copytree(folder / "board", folder / "old")
    for file in (folder / "old" / "cells").glob("*/result.json"):
        kept = json.loads(file.read_text())
        file.write_text(json.dumps({name: kept[name] for name in kept if name not in ("recipe", "model_key", "seal")}))
    return folder


@pytest.fixture(scope="module")
def looking(folder: Path) -> Iterator[TestClient]:
    with opened(folder / "served", folder / "tastes", experiments=(folder / "board", folder / "old")) as client:
        yield client


def page(looking: TestClient, first: str, second: str) -> Tree:
    answer = looking.get(f"/experiments/compare?a={quoted(first)}&b={quoted(second)}")
    assert answer.status_code == 200
    return Tree(answer.text)


def differences(tree: Tree) -> list[tuple[str, ...]]:
    """The lines of the first table."""
    lines: list[list[str]] = []
    inside = False
    for name, _, texts in tree.elements:
        if inside and name == "thead":
            break
        inside = inside or name == "tbody"
        if inside and name == "tr":
            lines.append([])
        elif inside and name in ("th", "td"):
            lines[-1].append(" ".join("".join(texts).split()))
    return [tuple(line) for line in lines]


def test_rows_that_differ_in_one_field_differ_in_one_line(looking: TestClient) -> None:
    tree = page(looking, "board/light", "board/shallow")
    assert differences(tree) == [("config.num_layers", "3", "2")]
    assert "Not all is known" not in tree.text


def test_training_and_fill_are_settings_too(looking: TestClient) -> None:
    lines = differences(page(looking, "board/light", "board/slow"))
    assert set(lines) == {("train.learning_rate", "0.001", "0.0005"), ("fill", "mean", "zero")}


def test_equal_recipes_under_two_names_share_a_cell_and_are_compared(looking: TestClient) -> None:
    tree = page(looking, "board/light", "board/spelt out")
    assert differences(tree) == [("nothing", "", "")]
    assert "The second serves nobody better." in tree.text and "cannot be compared" not in tree.text


def test_a_run_and_a_row_of_one_recipe_differ_in_nothing(looking: TestClient) -> None:
    assert differences(page(looking, "this run", "board/pop")) == [("nothing", "", "")]
    of_models = {name: (one, other) for name, one, other in differences(page(looking, "board/pop", "board/light"))}
    assert of_models["model"] == ("popularity", "lightgcn") and of_models["config.embedding_dim"] == ("–", "4")


def test_what_older_versions_left_is_compared_by_what_is_known_and_says_so(looking: TestClient) -> None:
    both = page(looking, "old/light", "old/shallow")
    assert differences(both) == [("nothing", "", "")]
    assert both.text.count("a version that kept no recipe") == 2
    one = page(looking, "board/pop", "old/light")
    assert ("model", "popularity", "lightgcn") in differences(one)
    assert not any(name.startswith("config.") for name, _, _ in differences(one))  # it may have them as well
    assert "Not all is known of the second: its cells are of a version that kept no recipe" in one.text


def test_of_two_cells_of_one_seed_the_newest_counts(folder: Path, tmp_path: Path) -> None:
    """Data that have changed since leave the old cells where they are, under another key."""
    shutil.copytree(folder / "board", tmp_path / "board")
    for file in list((tmp_path / "board" / "cells").glob("*/result.json")):
        if json.loads(file.read_text())["cell"] == "light":
            stale = tmp_path / "board" / "cells" / "0"
            shutil.copytree(file.parent, stale)
            os.utime(stale / "result.json", (1, 1))
            (stale / "users.parquet").write_bytes(b"of other data")
    with opened(folder / "served", folder / "tastes", experiments=(tmp_path / "board",)) as client:
        assert "cannot be compared" not in page(client, "board/light", "board/pop").text


def test_no_file_is_read_where_requests_are_taken(looking: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    read, inside = experiments.discover, []

    def spy(*arguments: object) -> object:
        inside.append(asyncio._get_running_loop() is not None)
        return read(*arguments)

    monkeypatch.setattr(experiments, "discover", spy)
    for query in ("", "?a=board/light&b=board/pop"):
        assert looking.get(f"/experiments/compare{query}").status_code == 200
    assert inside == [False, False]
