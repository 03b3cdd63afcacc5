"""Studies by the code of commit 2167554, kept as they are: read back, shown, and gone on with, to the last digit."""

import csv
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from pages_world import Tree, make_run, opened
from viral.base.recipe import Recipe, TrainConfig
from viral.data.dataset import Dataset
from viral.lab.report.wording import fixed
from viral.lab.study import compare, compare_cold, read_study, tune
from viral.lab.study.reader import sections_of
from viral.lab.study.result_files import write_results

OLD = Path(__file__).parents[3] / "old_formats" / "studies"
KINDS = {"comparison": "results.json", "ablation": "results.json", "cold": "cold.json", "tuning": "tune.json"}
FEW = TrainConfig(max_epochs=3, batch_size=64, learning_rate=0.02)
RECIPES = {
    "viral": Recipe(model="viral", config={"embedding_dim": 4, "hidden_dim": 4, "num_neighbors": 3}, train=FEW),
    "light": Recipe(model="lightgcn", config={"embedding_dim": 4}, train=FEW),
}
LATER = {"chosen"}  # what newer versions say besides


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A copy that may be gone on with."""
    return Path(shutil.copytree(OLD, tmp_path / "old"))


def document(folder: Path, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / kind / KINDS[kind]).read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_study_is_read_as_it_was_written(kind: str, tmp_path: Path) -> None:
    study, written = read_study(OLD / kind), document(OLD, kind)
    write_results(tmp_path / "again.json", study.to_json())
    again = json.loads((tmp_path / "again.json").read_text(encoding="utf-8"))
    for row in again.get("rows", ()):
        assert row.pop("memory", []) == []  # of processes of their own, and there were none
    assert kind == study.KIND and study.data == "world" and study.commit == "2167554"
    assert again.keys() - written.keys() <= LATER and written.keys() - again.keys() <= {"data_fingerprint"}
    assert {name: again[name] for name in again if name in written} == {
        name: value for name, value in written.items() if name in again
    } | ({"recipe": "old_out/tuning/best.toml"} if kind == "tuning" else {})


def test_what_is_not_in_the_file_is_told_from_the_rest() -> None:
    study: Any = read_study(OLD / "comparison")
    assert study.chosen and study.published is None and len(study.segments) == 8
    ablation: Any = read_study(OLD / "ablation")
    assert [group.name for group in ablation.groups] == ["anchors", "parts", "modalities", "neighbors"]


@pytest.mark.parametrize("kind", list(KINDS))
def test_its_sections_show_its_numbers(kind: str) -> None:
    headings = [section.heading for section in sections_of(read_study(OLD / kind), OLD / kind)]
    wanted = {
        "comparison": {"Leaderboard", "Learning curves", "recall@20 by users and items", "Cost", "Budget"},
        "ablation": {"The rows", "Ablation matrix", "Neighbours in the item graph", "What the picture adds"},
        "cold": {"The withheld items among all items"},
        "tuning": {"Trials"},
    }
    assert wanted[kind] <= set(headings)


@pytest.fixture(scope="module")
def looking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("served")
    shutil.copytree(OLD / "world", folder / "world")
    make_run(Dataset.open(folder / "world"), folder / "run", "popularity")
    with opened(folder / "run", folder / "world", experiments=(OLD,)) as client:
        yield client


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_pages_show_it(kind: str, looking: TestClient) -> None:
    listed = [text for _, text in Tree(looking.get("/experiments").text).all("tr") if text.startswith(kind)]
    assert len(listed) == 1 and "Unreadable" not in listed[0] and "world" in listed[0]
    tree = Tree(looking.get(f"/experiments/study/{kind}").text)
    study: Any = read_study(OLD / kind)
    if kind in ("comparison", "ablation"):
        values = {row.name: row.mean("recall@20") for row in study.rows if row.place is None}
    elif kind == "cold":
        values = {row.name: row.places["all"].recall.mean for row in study.rows}
    else:
        values = {str(row.number): row.value for row in study.trials}
    rows = [text for _, text in tree.all("tr")]
    assert all(any(name in text and fixed(value) in text for text in rows) for name, value in values.items())


def test_users_of_two_of_its_rows_are_compared(looking: TestClient) -> None:
    tree = Tree(looking.get("/experiments/compare?a=comparison/light&b=comparison/viral").text)
    assert "40 users" in " ".join(tree.text.split()) and "cannot be compared" not in tree.text
    assert any(text.startswith("model") and "lightgcn" in text for _, text in tree.all("tr"))


def csv_lines(path: Path, without: set[str]) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [{name: line[name] for name in line if name not in without} for line in csv.DictReader(file)]


def test_its_cells_are_found_though_they_are_keyed_otherwise_now(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = Dataset.open(old / "world")
    compare(world, RECIPES, old / "comparison", seeds=(0, 1))
    compare_cold(world, RECIPES, old / "cold", seeds=(0, 1))
    assert not (old / "comparison" / "journal.jsonl").exists() and not (old / "cold" / "journal.jsonl").exists()
    assert capsys.readouterr().err.count("are of other code than the present") == 2
    code = {"code", "code_changed"}
    for name in ("comparison/results.csv", "cold/cold.csv"):
        assert csv_lines(old / name, code) == csv_lines(OLD / name, code), name


def test_its_tuning_goes_on(old: Path) -> None:
    result = tune(Dataset.open(old / "world"), Recipe(model="lightgcn", train=FEW), old / "tuning", trials=4)
    before: Any = read_study(OLD / "tuning")
    assert result.trials == before.trials and result.recipe_fingerprint == before.recipe_fingerprint


def test_the_present_code_gives_its_numbers_again(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One cell of each row is trained again and is equal; all are then of the present code, and no other is trained."""
    board = compare(Dataset.open(old / "world"), RECIPES, old / "comparison", seeds=(0, 1), restamp=1)
    assert [row.code_changed for row in board.rows] == [False, False]
    assert capsys.readouterr().err.count("gives the same numbers; 2 cells are stamped") == 2
    assert not (old / "comparison" / "restamp").exists() and not (old / "comparison" / "journal.jsonl").exists()
    before: Any = read_study(OLD / "comparison")
    assert [replace(row, code_changed=False) for row in before.rows] == list(board.rows)
