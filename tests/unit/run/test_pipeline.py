"""From a data set folder to a run and back."""

import json
import shutil
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from viral.base.errors import DataError, UsageError
from viral.base.files import fingerprint, replace_folder, sha256_file
from viral.base.locks import alone
from viral.base.recipe import Recipe, TrainConfig
from viral.data.dataset import Dataset
from viral.data.features import FeatureTable
from viral.run import pipeline
from viral.run.bundle import Bundle
from viral.run.configuration import configured
from viral.run.identity import finished_here
from viral.run.pipeline import evaluate_run, load_inputs, load_split, train
from viral.run.retrieval import Retriever
from viral.run.summary import read_summary
from viral.training import loop as training
from worlds import SMALL, ZOO, World, dataset_folder, two_tastes

RECIPE = Recipe(
    model="lightgcn",
    config={"embedding_dim": 8},
    train=TrainConfig(learning_rate=0.01, batch_size=100, max_epochs=3, seed=1),
)


@pytest.fixture(scope="module")
def world() -> World:
    return two_tastes(16, cold=True)


@pytest.fixture
def dataset(world, tmp_path) -> Dataset:
    return dataset_folder(tmp_path / "data", world)


def same_numbers(summary: dict) -> dict:
    """A summary without what the clock, the memory and the place say."""
    kept = {key: value for key, value in summary.items() if "seconds" not in key and key not in ("peak_memory_bytes",)}
    history = [{k: v for k, v in record.items() if "seconds" not in k} for record in summary["history"]]
    return kept | {"history": history}


def test_the_folder_is_read_as_it_was_written(dataset, world):
    parts = load_split(dataset)
    assert parts.items == world.split.items
    assert set(parts.users.ids) == set(world.split.users.ids) - {"u16"}  # a user in no row is unknown
    for name in ("train", "valid", "test"):
        ours, given = parts.part(name), world.split.part(name)
        pairs = {(parts.users.ids[u], i) for u, i in zip(ours.users.tolist(), ours.items.tolist(), strict=True)}
        assert pairs == {(f"u{u}", i) for u, i in zip(given.users.tolist(), given.items.tolist(), strict=True)}
    inputs = load_inputs(dataset, parts, RECIPE)
    assert set(inputs.features) == {"text", "description", "image"}
    assert np.array_equal(inputs.features["image"], world.inputs.features["image"])


def test_a_run_of_before_there_was_another_loss_or_a_memory_is_still_found(dataset, tmp_path):
    """What identified a run then: its recipe as given, every number of the training, and no more."""
    recipe = {
        "model": "lightgcn",
        "config": {"embedding_dim": 8},
        "train": {
            "learning_rate": 0.01, "decay": 1.0, "weight_decay": 0.0, "batch_size": 100, "max_epochs": 3,
            "patience": 20, "evaluate_every": 1, "monitor": "recall@20", "seed": 1,
        },
        "fill": "mean",
    }  # fmt: skip
    features = {path.name: sha256_file(path) for path in sorted(dataset.features_folder.glob("*.parquet"))}
    tables = {name: sha256_file(dataset.path / name) for name in dataset.manifest["hashes"]}
    summary = train(dataset, RECIPE, tmp_path / "run")
    assert summary["identity"] == fingerprint(fingerprint(tables), features, recipe)


def test_a_run(dataset, tmp_path):
    summary = train(dataset, RECIPE, tmp_path / "run")
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [
        "bundle", "identity.json", "recipe.toml", "run.json",
    ]  # fmt: skip
    assert read_summary(tmp_path / "run") == json.loads(json.dumps(summary))
    assert Recipe.read(tmp_path / "run" / "recipe.toml") == configured(RECIPE).recipe != RECIPE
    assert (summary["model"], summary["seed"], summary["split"], summary["users"]) == ("lightgcn", 1, "test", 16)
    assert summary["metrics"] == summary["protocols"]["train"] and summary["masked"] == "train"
    assert {"recall@10", "recall@20", "ndcg@10", "ndcg@20", "coverage@20"} <= summary["metrics"].keys()
    assert len(summary["epoch_seconds"]) == summary["epochs"] == 3
    assert summary["valid"]["recall@20"] == summary["history"][summary["valid"]["best_epoch"]]["valid"]["recall@20"]
    about = Bundle.load(tmp_path / "run" / "bundle").about
    assert about["counts"]["items"] == 17 and about["recipe"]["config"] == {"embedding_dim": 8}


def test_the_same_words_again_return_the_finished_run(dataset, tmp_path, monkeypatch):
    first = train(dataset, RECIPE, tmp_path / "run")

    def never(*args, **kwargs):
        raise AssertionError("trained again")

    monkeypatch.setattr(pipeline, "fit_model", never)
    assert train(dataset, RECIPE, tmp_path / "run") == json.loads(json.dumps(first))


def test_the_same_words_elsewhere_give_the_same_numbers(dataset, tmp_path):
    one, other = (train(dataset, RECIPE, tmp_path / name) for name in ("one", "other"))
    assert same_numbers(one) == same_numbers(other)


def test_a_stopped_run_goes_on(dataset, tmp_path, monkeypatch):
    whole = train(dataset, RECIPE, tmp_path / "whole")
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0)
    validate, calls = training.measure_valid, []

    def stop_in_the_third_epoch(*args):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return validate(*args)

    monkeypatch.setattr(training, "measure_valid", stop_in_the_third_epoch)
    with pytest.raises(KeyboardInterrupt):
        train(dataset, RECIPE, tmp_path / "run")
    assert (tmp_path / "run" / "checkpoint.safetensors").is_file()
    resumed = train(dataset, RECIPE, tmp_path / "run")
    assert len(calls) == 4
    assert same_numbers(resumed) == same_numbers(whole)
    assert not (tmp_path / "run" / "checkpoint.safetensors").exists()


def test_a_run_that_was_claimed_but_not_begun_goes_on(dataset, tmp_path):
    train(dataset, RECIPE, tmp_path / "whole")
    (tmp_path / "run").mkdir()
    shutil.copy(tmp_path / "whole" / "identity.json", tmp_path / "run")
    assert train(dataset, RECIPE, tmp_path / "run")["epochs"] == 3
    assert (tmp_path / "run" / "recipe.toml").is_file()


@pytest.mark.parametrize(
    "other",
    [
        replace(RECIPE, train=replace(RECIPE.train, seed=2)),
        replace(RECIPE, config={"embedding_dim": 9}),
        replace(RECIPE, model="bpr"),
        replace(RECIPE, fill="zero"),
    ],
)
def test_the_folder_of_another_recipe_is_refused(dataset, tmp_path, other):
    (tmp_path / "run").mkdir()
    train(dataset, RECIPE, tmp_path / "run")
    with pytest.raises(UsageError, match="another recipe"):
        train(dataset, other, tmp_path / "run")


def test_a_changed_feature_table_is_refused(dataset, tmp_path):
    train(dataset, RECIPE, tmp_path / "run")
    table = FeatureTable.load(dataset.features_folder / "text.parquet")
    values = table.values.copy()
    values[3, 2] += 1e-3
    replace(table, values=values).save(dataset.features_folder)
    with pytest.raises(UsageError, match="data that have changed since"):
        train(dataset, RECIPE, tmp_path / "run")


@pytest.mark.parametrize("name", ["interactions.parquet", "items.parquet"])
def test_a_table_that_was_changed_behind_the_manifest_is_refused(dataset, tmp_path, name):
    train(dataset, RECIPE, tmp_path / "run")
    pl.read_parquet(dataset.path / name).head(-1).write_parquet(dataset.path / name)
    with pytest.raises(UsageError, match="data that have changed since"):
        train(dataset, RECIPE, tmp_path / "run")


@pytest.mark.parametrize("what", ["a folder of something else", "a file"])
def test_a_place_that_is_taken_is_refused(dataset, tmp_path, what):
    out = tmp_path / "out"
    if what == "a file":
        out.write_text("mine")
    else:
        out.mkdir()
        (out / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match="not empty and holds no run"):
        train(dataset, RECIPE, out)
    assert (out if out.is_file() else out / "thesis.txt").read_text() == "mine"


@pytest.mark.parametrize("name", ["lightgcn", "viral", "viral-light", "ease", "popularity"])
def test_measuring_a_run_again_gives_its_numbers(dataset, tmp_path, name):
    model, config = ZOO[name]
    sizes = {} if model != "viral" else {key: SMALL[key] for key in ("embedding_dim", "num_neighbors")}
    recipe = replace(RECIPE, model=model, config={**config, **sizes})
    summary = train(dataset, recipe, tmp_path / "run")
    again = evaluate_run(tmp_path / "run")
    assert again == {key: summary[key] for key in again}
    both = evaluate_run(tmp_path / "run", mask="train+valid")
    assert both["metrics"] == summary["protocols"]["train+valid"] and both["masked"] == "train+valid"
    valid = evaluate_run(tmp_path / "run", name="valid")
    assert valid["metrics"]["recall@20"] == summary["valid"]["recall@20"] and valid["split"] == "valid"
    fitted = evaluate_run(tmp_path / "run", name="train")
    assert fitted["masked"] == "none" and fitted["users"] == 16


def test_a_run_of_another_recipe_is_there_until_the_new_one_is(dataset, tmp_path, monkeypatch):
    out, other = tmp_path / "run", replace(RECIPE, train=replace(RECIPE.train, seed=2))
    first = train(dataset, RECIPE, out)
    assert train(dataset, RECIPE, out, anew=True) == read_summary(out), "nothing is done twice"
    with pytest.raises(UsageError, match="another recipe"):
        train(dataset, other, out)
    stopped = tmp_path / ".run.next"
    train(dataset, replace(RECIPE, model="bpr"), stopped)  # of a third recipe, from an earlier day
    kept = []
    monkeypatch.setattr(
        pipeline, "replace_folder", lambda *rest: (kept.append(read_summary(out)), replace_folder(*rest))
    )
    second = train(dataset, other, out, anew=True)
    assert kept == [json.loads(json.dumps(first))], "the old one is there while the new one is trained"
    assert read_summary(out)["seed"] == second["seed"] == 2 and not stopped.exists()


def test_a_run_is_not_measured_on_another_catalogue(dataset, world, tmp_path):
    train(dataset, RECIPE, tmp_path / "run")
    other = dataset_folder(tmp_path / "other", two_tastes(14))
    with pytest.raises(DataError, match="not the bundle's"):
        evaluate_run(tmp_path / "run", dataset=other.path)
    shutil.move(dataset.path, tmp_path / "moved")
    assert evaluate_run(tmp_path / "run", dataset=tmp_path / "moved")["users"] == 16


def test_it_recommends_when_the_data_set_is_gone(dataset, tmp_path):
    train(dataset, RECIPE, tmp_path / "run")
    shutil.rmtree(dataset.path)
    found = Retriever.load(tmp_path / "run").recommend("u3", 4)
    assert len(found) == 4 and all(r.title == f"Title of {r.item_id}" for r in found)


def test_a_closed_form_without_validation_leaves_valid_json(dataset, tmp_path):
    frame = pl.read_parquet(dataset.path / "interactions.parquet")
    frame.filter(pl.col("split") != "valid").write_parquet(dataset.path / "interactions.parquet")
    summary = train(dataset, replace(RECIPE, model="ease", config={}), tmp_path / "run")
    assert summary["valid"] == {"best_epoch": 0} and summary["stopped_because"] == "closed form"

    def refuse(name):
        raise AssertionError(f"{name} is not JSON")

    json.loads((tmp_path / "run" / "run.json").read_text(), parse_constant=refuse)


def test_a_model_from_outside(dataset, tmp_path):
    recipe = replace(RECIPE, model="noisy:Noisy", config={"dropout": 0.1})
    summary = train(dataset, recipe, tmp_path / "run")
    assert summary["model"] == "noisy:Noisy" and summary["num_parameters"] == 8 * (16 + 17)
    assert len(Retriever.load(tmp_path / "run").recommend("u0", 5)) == 5
    with pytest.raises(UsageError, match="unknown key 'dropuot' in NoisyConfig"):
        train(dataset, replace(recipe, config={"dropuot": 0.1}), tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_ranking_for_a_sample_of_users(dataset, tmp_path):
    summary = train(dataset, RECIPE, tmp_path / "run", users=5)
    assert summary["users"] == 5
    again = evaluate_run(tmp_path / "run", users=5)
    assert (again["users"], again["metrics"]) == (5, summary["metrics"])
    assert evaluate_run(tmp_path / "run")["users"] == 16
    with pytest.raises(UsageError, match="another recipe"):
        train(dataset, RECIPE, tmp_path / "run")


def stopped_after(dataset, recipe, out, epochs):
    """Train until so many epochs are in the checkpoint, then stop as Ctrl-C does."""

    def stop(self, path, save=training._Fit._save):
        save(self, path)
        if len(self.history) >= epochs:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "CHECKPOINT_SECONDS", -1.0)
        patch.setattr(training._Fit, "_save", stop)
        with pytest.raises(KeyboardInterrupt):
            train(dataset, recipe, out)


def test_a_training_under_way_goes_on_with_another_cap(dataset, tmp_path):
    recipe = Recipe(model="bpr").with_settings(["train.max_epochs=30", "train.patience=100"])
    longer = recipe.with_settings(["train.max_epochs=9"])
    stopped_after(dataset, recipe, tmp_path / "run", 4)
    summary = train(dataset, longer, tmp_path / "run")
    whole = train(dataset, longer, tmp_path / "whole")
    assert summary["epochs"] == 9 and summary["metrics"] == whole["metrics"]
    assert summary["identity"] == whole["identity"]
    assert Recipe.read(tmp_path / "run" / "recipe.toml").train.max_epochs == 9
    with pytest.raises(UsageError, match="another recipe"):
        train(dataset, recipe, tmp_path / "run")  # finished: it is a run of nine epochs


def test_a_training_under_way_can_be_finished_with_what_it_has(dataset, tmp_path):
    recipe = Recipe(model="bpr").with_settings(["train.max_epochs=30", "train.patience=100"])
    with pytest.raises(UsageError, match="no training is under way"):
        finished_here(recipe, tmp_path / "run")
    stopped_after(dataset, recipe, tmp_path / "run", 4)
    summary = train(dataset, finished_here(recipe, tmp_path / "run"), tmp_path / "run")
    assert summary["epochs"] == 4 and summary["metrics"]["recall@20"] >= 0
    with pytest.raises(UsageError, match="another recipe"):
        train(dataset, Recipe(model="lightgcn"), tmp_path / "run")


def test_two_trainings_of_one_folder_do_not_meet(dataset, tmp_path):
    with alone(tmp_path / "run"), pytest.raises(UsageError, match="another process is at work"):
        train(dataset, Recipe(model="bpr"), tmp_path / "run")
    assert not list(tmp_path.glob(".run*"))


def test_a_disk_without_room_is_told_before_the_training(dataset, tmp_path, monkeypatch):
    monkeypatch.setattr("viral.base.files._free", lambda path: 100)
    with pytest.raises(DataError, match="no space left"):
        train(dataset, Recipe(model="bpr"), tmp_path / "run")
