"""Data without a test or a validation part, and training on everything: what is trained, kept, said and refused."""

import json
from dataclasses import replace

import polars as pl
import pytest
import torch
from typer.testing import CliRunner

from viral.apps.cli import app
from viral.base.errors import DataError, UsageError
from viral.base.files import read_json
from viral.base.recipe import MemoryConfig, Recipe, TrainConfig
from viral.data.dataset import Dataset, Source, write_tables
from viral.data.doctor import examine
from viral.data.preconditions import LACKS
from viral.run.bundle import Bundle
from viral.run.pipeline import evaluate_run, load_split, train
from viral.run.production import EPOCHS, epochs_of
from viral.run.retrieval import Retriever
from viral.run.summary import read_summary
from viral.run.update import update
from worlds import World, dataset_folder, two_tastes

BPR = Recipe(model="bpr", config={"embedding_dim": 4}, train=TrainConfig(learning_rate=0.05, batch_size=64))


@pytest.fixture(scope="module")
def world() -> World:
    return two_tastes(16)


def without(dataset: Dataset, *parts: str) -> Dataset:
    """The data set without the rows of those parts."""
    log = dataset.interactions().filter(~pl.col("split").is_in(parts))
    items = pl.read_parquet(dataset.path / "items.parquet")
    return write_tables(dataset.path, items, log, Source(layout="test"))


@pytest.fixture
def dataset(world: World, tmp_path) -> Dataset:
    return dataset_folder(tmp_path / "data", world)


def viral(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(word) for word in words])
    return done.exit_code, done.output


def pairs(bundle: Bundle) -> int:
    return len(bundle.seen)


@pytest.mark.parametrize("parts", [("test",), ("valid",), ("valid", "test")])
@pytest.mark.parametrize("model", ["bpr", "ease", "popularity", "viral"])
def test_what_the_doctor_calls_trainable_is_trained_and_recommends(dataset, tmp_path, parts, model):
    small = without(dataset, *parts)
    report = examine(small)
    assert report.trainable
    told = {finding.check: finding.message for finding in report.findings}
    assert {f"empty {name} split": LACKS[name] for name in parts}.items() <= told.items()
    summary = train(small, Recipe(model=model, train=TrainConfig(max_epochs=2)), tmp_path / "run")
    assert bool(summary["metrics"]) == ("test" not in parts)
    assert json.loads(json.dumps(summary, allow_nan=False)) == read_summary(tmp_path / "run")
    assert len(Retriever.load(tmp_path / "run").recommend("u0", 3)) == 3
    if "test" in parts:
        assert summary["unmeasured"] == LACKS["test"]


def test_without_validation_a_fixed_number_of_epochs_is_told(dataset, tmp_path, capsys):
    small = without(dataset, "valid")
    recipe = replace(BPR, memory=MemoryConfig(kind="ease"))
    summary = train(small, recipe, tmp_path / "run")
    assert (summary["epochs"], summary["stopped_because"]) == (EPOCHS, "max_epochs")
    assert summary["memory"]["weight"] == 0.5 and "valid_without" not in summary["memory"]
    said = capsys.readouterr().err
    assert f"epochs: {EPOCHS}, a fixed number" in said and "weight 0.5, fixed" in said
    assert summary["chosen_by"]["epochs"].startswith(f"{EPOCHS}, a fixed number")
    assert epochs_of(summary) is None, "nothing was chosen"


def test_measuring_a_part_that_is_empty_says_which(dataset, tmp_path):
    small = without(dataset, "test")
    run = tmp_path / "run"
    train(small, replace(BPR, train=replace(BPR.train, max_epochs=2)), run)
    assert evaluate_run(run, name="valid")["users"] == 16
    with pytest.raises(DataError, match=LACKS["test"]):
        evaluate_run(run)
    code, output = viral("evaluate", run)
    assert code == 1 and LACKS["test"] in output


@pytest.mark.parametrize(
    ("parts", "words", "lack"),
    [
        (("test",), ("compare", "--models", "bpr,ease", "--seeds", "1"), "test"),
        (("valid",), ("compare", "--models", "bpr,ease", "--seeds", "1"), "valid"),
        (("valid", "test"), ("compare", "--models", "ease", "--seeds", "1", "--cold"), "valid"),
        (("test",), ("ablate", "--seeds", "1"), "test"),
        (("valid",), ("tune", "--model", "bpr", "--trials", "1"), "valid"),
    ],
)
def test_studies_say_before_they_compute_what_lacks(dataset, tmp_path, parts, words, lack):
    small = without(dataset, *parts)
    code, output = viral(words[0], small.path, "--out", tmp_path / "study", *words[1:])
    assert code == 1, output
    assert LACKS[lack] in output and "Traceback" not in output
    assert not list((tmp_path / "study").glob("cells/*"))


def test_nothing_to_learn_from_is_refused_in_the_doctors_words(dataset, tmp_path):
    small = without(dataset, "train")
    (message,) = [finding.message for finding in examine(small).findings if finding.check == "no training interaction"]
    with pytest.raises(DataError) as caught:
        train(small, BPR, tmp_path / "run")
    assert caught.value.what == message == LACKS["train"]
    assert not (tmp_path / "run").exists()


def test_test_users_without_training_are_ranked_and_warned_of(dataset, tmp_path):
    log = pl.concat([dataset.interactions(), pl.DataFrame({"user_id": ["new"], "item_id": ["i0"], "split": ["test"]})])
    small = write_tables(dataset.path, pl.read_parquet(dataset.path / "items.parquet"), log, Source(layout="test"))
    assert "user without training" in {finding.check for finding in examine(small).findings}
    assert train(small, replace(BPR, train=replace(BPR.train, max_epochs=2)), tmp_path / "run")["users"] == 17


def chosen(dataset: Dataset, run, **more) -> dict:
    recipe = replace(BPR, train=replace(BPR.train, max_epochs=12, patience=3), memory=MemoryConfig(kind="ease"))
    return train(dataset, replace(recipe, **more), run)


def test_production_learns_from_everything_as_long_as_validation_chose(dataset, tmp_path):
    first, out = chosen(dataset, tmp_path / "first"), tmp_path / "all"
    code, output = viral("train", dataset.path, "--production", "--from", tmp_path / "first", "--out", out)
    assert code == 0, output
    summary, bundle = read_json(out / "run.json"), Bundle.load(out / "bundle")
    assert summary["production"] and summary["metrics"] == {} and summary["users"] == 0
    assert summary["epochs"] == first["valid"]["best_epoch"] + 1 == summary["chosen_epochs"]
    assert summary["memory"]["weight"] == first["memory"]["weight"]
    assert summary["memory"]["feature_weight"] == first["memory"]["feature_weight"]
    assert pairs(bundle) == dataset.interactions().height > pairs(Bundle.load(tmp_path / "first" / "bundle"))
    assert "every interaction was learnt from" in output
    code, output = viral("evaluate", out)
    assert code == 1 and LACKS["test"] in output
    again = train(dataset, replace(BPR, memory=MemoryConfig(kind="ease")), tmp_path / "second",
                  production=True, chosen_by=out)  # fmt: skip
    assert again["epochs"] == summary["epochs"], "what was chosen is handed on"


def test_production_on_data_that_hold_nothing_out(dataset, tmp_path):
    first = chosen(dataset, tmp_path / "first")
    log = dataset.interactions().with_columns(split=pl.lit("train"))
    items = pl.read_parquet(dataset.path / "items.parquet")
    whole = write_tables(dataset.path, items, log, Source(layout="test"))
    code, output = viral("train", whole.path, "--from", tmp_path / "first", "--out", tmp_path / "all")
    assert code == 0, output
    assert read_json(tmp_path / "all" / "run.json")["epochs"] == first["valid"]["best_epoch"] + 1


def test_production_without_a_choice_is_refused_with_the_way_to_one(dataset, tmp_path):
    with pytest.raises(UsageError, match="nothing has chosen how long") as caught:
        train(dataset, BPR, tmp_path / "run", production=True)
    assert "--from RUN" in caught.value.hint
    given = replace(BPR, train=replace(BPR.train, max_epochs=3))
    assert train(dataset, given, tmp_path / "run", production=True)["epochs"] == 3
    with pytest.raises(UsageError, match="holds a run of another recipe"):
        train(dataset, given, tmp_path / "run")


def test_another_recipes_choice_is_not_taken(dataset, tmp_path):
    chosen(dataset, tmp_path / "first")
    for words in (("--model", "lightgcn"), ("--model", "bpr", "--set", "embedding_dim=8")):
        out = tmp_path / "all"
        code, output = viral("train", dataset.path, "--production", "--from", tmp_path / "first", "--out", out, *words)
        assert code == 2 and "of another recipe" in output, output
    code, output = viral("train", dataset.path, "--from", tmp_path / "first", "--out", tmp_path / "x")
    assert code == 2 and "have a validation part of their own" in output
    code, output = viral("train", dataset.path, "--production", "--from", tmp_path / "none", "--out", tmp_path / "x")
    assert code == 2 and "no finished run" in output


def test_a_closed_form_for_production_needs_no_choice(dataset, tmp_path):
    assert train(dataset, Recipe(model="ease"), tmp_path / "run", production=True)["production"]


def test_an_update_of_a_production_run_learns_from_everything(dataset, tmp_path):
    chosen(dataset, tmp_path / "first")
    train(dataset, replace(BPR, memory=MemoryConfig(kind="ease")), tmp_path / "all",
          production=True, chosen_by=tmp_path / "first")  # fmt: skip
    summary = update(tmp_path / "all", dataset, tmp_path / "next")
    assert summary["production"] and summary["metrics"] == {} and summary["update"]["test_note"] == ""
    assert pairs(Bundle.load(tmp_path / "next" / "bundle")) == dataset.interactions().height
    assert summary["chosen_epochs"] == epochs_of(read_json(tmp_path / "first" / "run.json"))


def test_an_update_says_whether_its_numbers_are_of_the_same_test_set(dataset, tmp_path):
    chosen(dataset, tmp_path / "first")
    same = update(tmp_path / "first", dataset, tmp_path / "same")["update"]
    assert same["test_changed"] is False
    parts = load_split(dataset)
    user, item = parts.test.users[0], parts.test.items[0]
    free = next(i for i in parts.items.ids if i not in _taken(dataset, parts.users.ids[int(user)]))
    more = pl.DataFrame({"user_id": [parts.users.ids[int(user)]], "item_id": [free], "split": ["test"]})
    log = pl.concat([dataset.interactions(), more])
    grown = write_tables(dataset.path, pl.read_parquet(dataset.path / "items.parquet"), log, Source(layout="test"))
    code, output = viral("update", tmp_path / "first", grown.path, "--out", tmp_path / "next")
    assert code == 0 and "the test set has changed (16 → 16 users, 16 → 17 interactions" in output, output
    told = read_json(tmp_path / "next" / "run.json")["update"]
    assert told["test_changed"] is True
    assert Bundle.load(tmp_path / "next" / "bundle").about["update"]["test_changed"] is True
    assert torch.is_tensor(item)


def _taken(dataset: Dataset, user: str) -> set[str]:
    return set(dataset.interactions().filter(pl.col("user_id") == user)["item_id"])
