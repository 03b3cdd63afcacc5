"""Cells of other code are taken on where the present code gives their numbers again, and nowhere else."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from viral.apps.cli import app
from viral.base.files import read_sealed, write_sealed
from viral.base.recipe import Recipe, TrainConfig
from viral.data.dataset import Dataset
from viral.lab.study import CellResult, TrainingCell, compare_cold, run_cells
from viral.lab.study.kept_results import RESULT_FILE
from worlds import dataset_folder, two_tastes

BPR = Recipe(model="bpr", config={"embedding_dim": 4}, train=TrainConfig(max_epochs=2, batch_size=64))
LIGHT = replace(BPR, model="lightgcn")


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return dataset_folder(tmp_path / "world", two_tastes(12))


def cells() -> list[TrainingCell]:
    """Two rows of three seeds."""
    return [
        TrainingCell(name=recipe.model, group="models", recipe=replace(recipe, train=replace(recipe.train, seed=seed)))
        for recipe in (BPR, LIGHT)
        for seed in range(3)
    ]


def of_other_code(result: CellResult, **changed: object) -> None:
    kept = read_sealed(result.folder / RESULT_FILE, hint="")
    write_sealed(result.folder / RESULT_FILE, {**kept, "code": "other", **changed})


def computed(out: Path) -> int:
    return (out / "journal.jsonl").read_text().count('"finished"')


def test_equal_rows_are_stamped_and_unequal_ones_are_named_and_left(
    dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "study"
    for outcome in run_cells(dataset, cells(), out):
        metrics = dict(outcome.result.summary["metrics"])
        if outcome.cell.name == "lightgcn":
            metrics["ndcg@20"] += 1e-15  # the last digit
        of_other_code(outcome.result, metrics=metrics)
    capsys.readouterr()
    found = {(one.cell.name, one.cell.seed): one for one in run_cells(dataset, cells(), out, restamp=1)}
    said = capsys.readouterr().err
    assert "models: bpr: the present code gives the same numbers; 3 cells are stamped with it" in said
    assert "models: lightgcn: seed" in said and "differs in metrics: its 3 cells stay those of other code" in said
    for (name, _), outcome in found.items():
        assert (outcome.result.code == outcome.cell.code) is (name == "bpr")
    told = found["bpr", 0].result.summary["restamped"]
    assert told["from"] == "other" and len(told["shown_by_seeds"]) == 1
    assert computed(out) == 6 and not (out / "restamp").exists(), "no kept cell is computed again"


def test_one_whose_users_differ_is_not_equal(dataset: Dataset, tmp_path: Path) -> None:
    """The means alone might agree by chance."""
    import polars as pl

    from viral.base.files import sha256_file

    out = tmp_path / "study"
    for outcome in run_cells(dataset, cells()[:1], out):
        users = outcome.result.folder / "users.parquet"
        frame = pl.read_parquet(users)
        frame.with_columns(pl.col("user_id").reverse()).write_parquet(users)
        of_other_code(outcome.result, users_sha256=sha256_file(users))
    assert run_cells(dataset, cells()[:1], out, restamp=1)[0].result.code == "other"


def test_only_cells_of_one_code_vouch_for_one_another(dataset: Dataset, tmp_path: Path) -> None:
    out = tmp_path / "study"
    first, second, _ = run_cells(dataset, cells()[:3], out)
    of_other_code(first.result)
    of_other_code(second.result, code="yet another", users=99)
    found = run_cells(dataset, cells()[:3], out, restamp=3)
    assert [one.result.code == one.cell.code for one in found] == [True, False, True]
    assert "restamped" not in found[2].result.summary


def test_cold_cells_are_taken_on_too(dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "study"
    before = compare_cold(dataset, {"light": LIGHT}, out, seeds=(0, 1))
    for file in out.glob(f"cells/*/{RESULT_FILE}"):
        of_other_code(CellResult(file.parent, {}))
    after = compare_cold(dataset, {"light": LIGHT}, out, seeds=(0, 1), restamp=1)
    assert after.rows == before.rows and computed(out) == 6
    kept = [read_sealed(file, hint="") for file in out.glob(f"cells/*/{RESULT_FILE}")]
    assert len(kept) == 6 and all(one["code"] != "other" and one["restamped"]["from"] == "other" for one in kept)


def test_the_command_line_takes_cells_on(dataset: Dataset, tmp_path: Path) -> None:
    words = ["ablate", str(dataset.path), "--out", str(tmp_path / "out"), "--seeds", "2", "--studies", "anchors"]
    words += ["--json", "--set", "max_epochs=1", "--set", "embedding_dim=4", "--set", "hidden_dim=4"]
    assert CliRunner().invoke(app, words).exit_code == 0
    for file in tmp_path.glob(f"out/cells/*/{RESULT_FILE}"):
        of_other_code(CellResult(file.parent, {}))
    changed = [row["code_changed"] for row in json.loads(CliRunner().invoke(app, words).stdout)["rows"]]
    assert changed == [True] * 3
    done = CliRunner().invoke(app, [*words, "--restamp"])
    assert [row["code_changed"] for row in json.loads(done.stdout)["rows"]] == [False] * 3, done.stderr
