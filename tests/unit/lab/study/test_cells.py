"""Cells are computed once, go on where they were, and never answer for other data or another recipe."""

import json
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from viral.base.errors import DataError, UsageError
from viral.base.files import read_sealed, write_sealed
from viral.base.parallel.processes import ProcessExecutor
from viral.base.recipe import Recipe, TrainConfig
from viral.data.dataset import Dataset
from viral.data.features import FeatureTable
from viral.lab.study import TrainingCell, data_hashes, make_rows, run_cells, training_cells
from viral.lab.study.kept_results import CHECKPOINT_FILE, CODE_FILE, RESULT_FILE, USERS_FILE
from viral.lab.study.runner import Job, compute
from viral.run.configuration import find_model
from viral.run.pipeline import load_inputs, load_split, train
from viral.training import build_model, fit
from worlds import dataset_folder, two_tastes

FEW = TrainConfig(max_epochs=2, batch_size=64)
BPR = Recipe(model="bpr", config={"embedding_dim": 4}, train=FEW)
SIZES = {"embedding_dim": 4, "hidden_dim": 4, "num_neighbors": 3}
DEFAULT = Recipe(model="viral", config=SIZES, train=FEW)
VIRAL = Recipe(model="viral", config={**SIZES, "variant": "light"}, train=FEW)


def cell(recipe: Recipe, seed: int = 0, name: str = "row", **more) -> TrainingCell:
    return TrainingCell(
        name=name, group="study", recipe=replace(recipe, train=replace(recipe.train, seed=seed)), **more
    )


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return dataset_folder(tmp_path / "world", two_tastes(12))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "study"


def journal(out: Path, event: str) -> Counter:
    lines = (out / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    return Counter(entry["key"] for entry in map(json.loads, lines) if entry["event"] == event)


def change(dataset: Dataset, modality: str) -> None:
    path = dataset.features_folder / f"{modality}.parquet"
    table = FeatureTable.load(path)
    values = table.values + np.float32(0.5)
    FeatureTable(table.item_ids, modality, values, table.encoder).save(dataset.features_folder)


@pytest.mark.parametrize("recipe", [DEFAULT, VIRAL, BPR], ids=["default", "published", "bpr"])
def test_a_cell_measures_what_train_measures(recipe, dataset, out, tmp_path):
    result = run_cells(dataset, [cell(recipe, 3)], out)[0].result
    summary = train(dataset, replace(recipe, train=replace(FEW, seed=3)), tmp_path / "run")
    assert result is not None and result.summary["metrics"] == summary["metrics"]
    assert result.summary.get("memory") == summary.get("memory") and ("memory" in summary) is (recipe is DEFAULT)
    assert result.summary["protocols"] == summary["protocols"]
    ids, values = result.per_user("recall@10")
    assert values.mean() == pytest.approx(summary["metrics"]["recall@10"]) and len(ids) == summary["users"]
    assert set(ids) == {f"u{n}" for n in range(12)}


def test_a_finished_cell_is_not_computed_again(dataset, out):
    cells = [cell(BPR, seed) for seed in (0, 1)]
    first = run_cells(dataset, cells, out)
    again = run_cells(dataset, [*cells, cell(BPR, 2)], out)
    assert journal(out, "started") == journal(out, "finished")
    assert list(journal(out, "finished").values()) == [1, 1, 1]
    assert [one.result.summary for one in first] == [one.result.summary for one in again[:2]]


def test_equal_recipes_are_one_cell_whatever_they_are_called(dataset, out):
    default = cell(VIRAL, name="full")
    spelt_out = cell(replace(VIRAL, config={**VIRAL.config, "alignment_weight": 0.01}), name="λ = 0.01")
    outcomes = run_cells(dataset, [default, spelt_out], out)
    assert sum(journal(out, "finished").values()) == 1
    assert outcomes[0].result.folder == outcomes[1].result.folder
    assert default.model_key == spelt_out.model_key != cell(BPR).model_key


def test_the_key_is_the_recipe_and_the_data(dataset):
    hashes = data_hashes(dataset)
    others = [
        cell(VIRAL, 1),
        cell(replace(VIRAL, config={**VIRAL.config, "num_layers": 1})),
        cell(replace(VIRAL, train=replace(FEW, learning_rate=0.1))),
        cell(replace(VIRAL, fill="zero")),
        cell(VIRAL, reads=("text",)),
        cell(BPR),
    ]
    assert len({one.key(hashes) for one in [cell(VIRAL), *others]}) == 7
    assert cell(VIRAL).key(hashes | {"items.parquet": "changed"}) != cell(VIRAL).key(hashes)
    assert cell(VIRAL, 1).model_key == cell(VIRAL).model_key


@pytest.mark.parametrize(("changed", "computed"), [("text", 2), ("image", 1)])
def test_results_of_other_features_are_not_taken(dataset, out, changed, computed):
    """The image is not read by this row, so its change leaves the result as it is."""
    row = cell(VIRAL, reads=("text", "description"))
    before = run_cells(dataset, [row], out)[0].result.summary
    change(dataset, changed)
    after = run_cells(dataset, [row], out)[0].result.summary
    assert len(journal(out, "finished")) == computed
    assert (before["history"][0]["losses"] == after["history"][0]["losses"]) is (computed == 1)


def test_a_new_table_is_new_data_for_a_cell_that_is_given_everything(dataset, out):
    run_cells(dataset, [cell(BPR), cell(BPR, reads=())], out)
    FeatureTable(("i0",), "audio", np.ones((1, 2), np.float32), "test").save(dataset.features_folder)
    run_cells(dataset, [cell(BPR), cell(BPR, reads=())], out)
    assert len(journal(out, "finished")) == 3


def test_a_cell_sees_no_table_that_its_key_does_not_name(dataset, out):
    failure = run_cells(dataset, [cell(VIRAL, reads=("text",))], out)[0].failure
    assert "no 'description' features" in failure


def test_changed_interactions_are_new_data(dataset, out):
    import polars as pl

    run_cells(dataset, [cell(BPR)], out)
    path = dataset.path / "interactions.parquet"
    pl.read_parquet(path).filter(pl.col("user_id") != "u3").write_parquet(path)
    after = run_cells(dataset, [cell(BPR)], out)[0].result
    assert len(journal(out, "finished")) == 2 and after.summary["users"] == 11


def test_data_that_change_during_the_study_are_refused(dataset, out):
    hashes, row = data_hashes(dataset), cell(BPR)
    job = Job(dataset.path, row.data(hashes), row.key(hashes), row, out)
    change(dataset, "text")  # after the key was made, before the data are read
    assert "changed since the study began" in compute(job)
    assert not (job.folder / RESULT_FILE).exists()


@pytest.mark.parametrize("damage", ["truncated", "other key", "users", "no users"])
def test_a_damaged_result_is_computed_anew(dataset, out, damage):
    folder = run_cells(dataset, [cell(BPR)], out)[0].result.folder
    expected = (folder / USERS_FILE).read_bytes()
    text = (folder / RESULT_FILE).read_text()
    if damage == "truncated":
        (folder / RESULT_FILE).write_text(text[: len(text) // 2])
    elif damage == "other key":
        (folder / RESULT_FILE).write_text(text.replace(folder.name, "0" * 64))
    elif damage == "users":
        (folder / USERS_FILE).write_bytes(expected[:-1] + b"?")
    else:
        (folder / USERS_FILE).unlink()
    assert run_cells(dataset, [cell(BPR)], out)[0].result is not None
    assert list(journal(out, "finished").values()) == [2]
    assert (folder / USERS_FILE).read_bytes() == expected


def test_a_cell_that_fails_does_not_end_the_others_and_is_tried_again(dataset, out):
    diverging = replace(BPR, train=replace(FEW, learning_rate=1e38))
    for tried in (1, 2):
        outcomes = run_cells(dataset, [cell(diverging, name="bad"), cell(BPR)], out)
        assert outcomes[0].result is None and "lower the learning rate" in outcomes[0].failure
        assert outcomes[1].result is not None and not outcomes[1].failure
        assert sum(journal(out, "failed").values()) == tried


@pytest.mark.parametrize(
    ("wrong", "error", "said"),
    [
        (cell(replace(VIRAL, config={"synergie": "off"})), UsageError, "synergy"),
        (cell(Recipe(model="vrial")), UsageError, "unknown model"),
        (cell(VIRAL, reads=("text", "title")), DataError, "viral encode"),
        (cell(VIRAL, reads=("description-plain",)), DataError, "viral enrich"),
    ],
)
def test_what_cannot_work_is_told_before_the_first_cell(dataset, out, wrong, error, said):
    with pytest.raises(error) as caught:
        run_cells(dataset, [cell(BPR), wrong], out)
    assert said in str(caught.value) and not out.exists()


def test_nothing_to_compute_is_an_error(dataset, out):
    with pytest.raises(UsageError):
        run_cells(dataset, [], out)


def disown(folder: Path) -> None:
    """Make a finished cell one that other code computed, its numbers another's too."""
    summary = read_sealed(folder / RESULT_FILE, hint="")
    write_sealed(folder / RESULT_FILE, summary | {"code": "other", "epochs": 99})


def test_a_finished_cell_of_other_code_is_told_and_renewed_when_asked(dataset, out, capsys):
    first = run_cells(dataset, [cell(BPR)], out)[0].result
    assert "other code" not in capsys.readouterr().err
    disown(first.folder)
    used = run_cells(dataset, [cell(BPR), cell(BPR, 1)], out)
    assert "1 of those that are done are of other code" in capsys.readouterr().err
    assert used[0].result.summary["epochs"] == 99 and make_rows(used)[0].code_changed is True
    renewed = run_cells(dataset, [cell(BPR), cell(BPR, 1)], out, renew=True)
    assert renewed[0].result.summary["metrics"] == first.summary["metrics"]
    assert renewed[0].result.summary["epochs"] == 2 and make_rows(renewed)[0].code_changed is False
    assert sorted(journal(out, "finished").values()) == [1, 2], "only the cell of other code is computed anew"


def test_a_cell_that_cannot_be_renewed_has_no_result(dataset, out):
    diverging = cell(replace(BPR, train=replace(FEW, learning_rate=1e38)))
    key = diverging.key(data_hashes(dataset))
    good = run_cells(dataset, [cell(BPR)], out)[0].result
    shutil.copytree(good.folder, out / "cells" / key)
    write_sealed(out / "cells" / key / RESULT_FILE, {**good.summary, "key": key})
    assert run_cells(dataset, [diverging], out)[0].result is not None
    disown(out / "cells" / key)
    outcome = run_cells(dataset, [diverging], out, renew=True)[0]
    assert outcome.result is None and "lower the learning rate" in outcome.failure


@pytest.mark.parametrize(("code", "kept"), [("other", False), (None, True)])
def test_a_stopped_cell_of_other_code_begins_again(dataset, out, code, kept):
    """Half of one code and half of another would be of none; by whom an older version's is, is not known."""
    row = cell(replace(BPR, train=replace(FEW, max_epochs=4)))
    whole = run_cells(dataset, [row], out / "whole")[0].result.summary
    folder = out / "cells" / row.key(data_hashes(dataset))
    split, inputs = prepared(dataset)
    started = replace(row.recipe.train, max_epochs=3)
    model = build_model(find_model("bpr"), inputs, find_model("bpr").Config(embedding_dim=4), 0)
    folder.mkdir(parents=True)
    early = fit(model, split, started, checkpoint=folder / CHECKPOINT_FILE)
    if code is not None:
        (folder / CODE_FILE).write_text(json.dumps({"code": code}))
    summary = run_cells(dataset, [row], out)[0].result.summary
    assert summary["metrics"] == whole["metrics"]
    same = [record["seconds"] for record in summary["history"][:3]] == early.epoch_seconds
    assert same is kept


def prepared(dataset: Dataset):
    split = load_split(dataset)
    return split, load_inputs(dataset, split, BPR)


def test_the_test_set_is_ranked_once_for_each_seed_after_its_training(dataset, out, monkeypatch):
    events = []

    def noted(name, function):
        return lambda *words, **more: events.append(name) or function(*words, **more)

    for name in ("fit_model", "measure"):
        monkeypatch.setattr(training_cells, name, noted(name, getattr(training_cells, name)))
    run_cells(dataset, [cell(BPR, seed) for seed in range(2)], out)
    assert events == ["fit_model", "measure"] * 2
    run_cells(dataset, [cell(BPR, seed) for seed in range(3)], out)
    assert events == ["fit_model", "measure"] * 3, "and never again"


@pytest.mark.slow
def test_another_process_gives_the_same_numbers(dataset, out, tmp_path):
    cells = [cell(BPR, seed) for seed in range(2)]
    alone = run_cells(dataset, cells, out)
    together = run_cells(dataset, cells, tmp_path / "other", executor=ProcessExecutor(1))
    for one, other in zip(alone, together, strict=True):
        assert one.result.summary["metrics"] == other.result.summary["metrics"]
        assert one.result.folder.name == other.result.folder.name
