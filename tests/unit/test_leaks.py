"""No leak: what is ranked for is known to nothing that ranks. Each guard is shown to see a leak that is planted."""

import shutil
from collections import Counter
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch

from makers import damaged, rejected, write
from viral.base.errors import DataError
from viral.base.recipe import Recipe, TrainConfig
from viral.data.dataset import Dataset
from viral.data.doctor import examine
from viral.data.features import FeatureTable
from viral.data.importers import import_mmrec, import_table
from viral.data.inputs import ModelInputs
from viral.data.interactions import Interactions
from viral.data.sampling import TripletSampler
from viral.data.splitting import Split, split
from viral.encode import encode_dataset
from viral.lab.study import TrainingCell, run_cells
from viral.models import MODELS
from viral.training import build_model, fit
from worlds import ZOO, World, dataset_folder, interactions, random_world, small_model, two_tastes

ONE = TrainConfig(max_epochs=1, batch_size=64)


def scores(name: str, world: World, inputs: ModelInputs) -> torch.Tensor:
    """Every score after an epoch of training: all that a model has learnt of its inputs."""
    model = small_model(name, replace(world, inputs=inputs))
    fit(model, replace(world.split, train=inputs.train), ONE)
    return model.score(torch.arange(inputs.train.num_users))


@pytest.fixture(scope="module")
def world() -> World:
    return random_world(20, 24, 0.25, seed=1)


def with_held_out(world: World, valid: Interactions, test: Interactions) -> World:
    other = replace(world.split, valid=valid, test=test)
    return World(other, world.tables, ModelInputs.of(other, world.tables))


@pytest.mark.parametrize("name", ZOO)
def test_graphs_see_train_only(name, world):
    """Other held-out interactions, the same model; held-out interactions among the training ones, another one."""
    swapped = with_held_out(world, world.split.valid, world.split.valid)
    assert torch.equal(scores(name, world, world.inputs), scores(name, swapped, swapped.inputs))
    leaking = replace(world.inputs, train=world.split.train.union(world.split.test))
    assert not torch.equal(scores(name, world, world.inputs), scores(name, world, leaking)), "the planted leak is seen"


def test_inputs_hold_the_training_interactions_and_no_others(world):
    assert torch.equal(world.inputs.train.keys(), world.split.train.keys())
    held_out = torch.cat([world.split.valid.keys(), world.split.test.keys()])
    assert not set(held_out.tolist()) & set(world.inputs.train.keys().tolist())


class Sealed:
    """A test set that may not be looked at: whatever is asked of it is a fault."""

    def __getattribute__(self, name: str) -> object:
        raise AssertionError(f"the test set was asked for {name}")

    def __len__(self) -> int:
        raise AssertionError("the test set was counted")


@pytest.mark.parametrize("name", ["bpr", "ease"])
def test_training_and_selection_never_open_the_test_set(name, world):
    model = build_model(MODELS[name], world.inputs, MODELS[name].Config(), 0)
    report = fit(model, replace(world.split, test=Sealed()), replace(ONE, max_epochs=3))
    assert report.best_value > 0
    with pytest.raises(AssertionError, match="the test set was"):
        fit(model, replace(world.split, valid=Sealed()), ONE)  # the seal holds: validation is looked at


def test_a_result_is_of_the_epoch_that_validation_chose(tmp_path):
    """Two data sets that differ in the test set alone: all but the test numbers is the same, seconds apart."""
    world = random_world(20, 60, 0.15, seed=3)
    other = with_held_out(world, world.split.valid, interactions([(u, (u * 7 + 3) % 60) for u in range(20)], 20, 60))
    free = ~torch.isin(other.split.test.keys(), torch.cat([world.split.train.keys(), world.split.valid.keys()]))
    keys = other.split.test.keys()[free]
    other = with_held_out(other, world.split.valid, Interactions(keys // 60, keys % 60, 20, 60))
    chosen = []
    for name, each in (("a", world), ("b", other)):
        dataset = dataset_folder(tmp_path / name, each)
        recipe = Recipe(model="bpr", train=replace(ONE, max_epochs=6, learning_rate=0.05))
        cell = TrainingCell(name="bpr", group="g", recipe=recipe)
        summary = run_cells(dataset, [cell], tmp_path / f"{name}-out")[0].result
        history = [(record["losses"], record["valid"]) for record in summary.summary["history"]]
        chosen.append((summary.summary["valid"], history, summary.summary["metrics"]))
    assert chosen[0][:2] == chosen[1][:2] and chosen[0][2] != chosen[1][2]


class Letters:
    """An encoder of texts by their letters: what it is given is all that it knows."""

    name, dim = "letters", 26

    def encode(self, texts: list[str]) -> np.ndarray:
        counts = [Counter(text.lower()) for text in texts]
        return np.array([[c[chr(97 + n)] for n in range(26)] for c in counts], np.float32)


def test_features_know_nothing_of_interactions(tmp_path, monkeypatch):
    """The features are made without the log being opened, and are filled in without it too."""
    dataset = dataset_folder(tmp_path / "world", two_tastes(6))
    before = encode_dataset(dataset, encoder=Letters(), modalities=["text", "title"])
    monkeypatch.setattr(Dataset, "interactions", lambda self: pytest.fail("the log was opened"))
    (dataset.path / "interactions.parquet").unlink()
    shutil.rmtree(dataset.features_folder)
    after = encode_dataset(dataset, encoder=Letters(), modalities=["text", "title"])
    assert all(np.array_equal(before[name].values, after[name].values) for name in ("text", "title"))

    class Peeking(Letters):
        name = "peeking"

        def encode(self, texts: list[str]) -> np.ndarray:
            return super().encode(texts) + dataset.interactions().height

    with pytest.raises(pytest.fail.Exception, match="the log was opened"):
        encode_dataset(dataset, encoder=Peeking(), modalities=["title"])


def test_what_is_filled_in_is_the_mean_of_items_and_not_of_what_was_taken():
    world = two_tastes(8)
    table = FeatureTable(world.split.items.ids[:5], "text", np.eye(5, dtype=np.float32), "test")
    filled = ModelInputs.of(world.split, [table]).features["text"][7]
    popular = interactions([(0, 0)] * 1 + [(u, 1) for u in range(8)], 8, 8)
    other = Split(popular, world.split.valid, world.split.test, world.split.users, world.split.items)
    assert torch.equal(filled, ModelInputs.of(other, [table]).features["text"][7])
    assert filled.tolist() == pytest.approx([0.2] * 5)


LEAKING = [("u1", "i1", "train"), ("u1", "i2", "train"), ("u1", "i3", "valid"), ("u2", "i1", "train"),
           ("u2", "i2", "test"), ("u1", "i1", "test")]  # fmt: skip


def test_a_pair_in_two_splits_is_named_by_the_importers(tmp_path):
    codes = {"train": 0, "valid": 1, "test": 2}
    rows = "".join(f"{u[1]}\t{i[1]}\t{codes[part]}\n" for u, i, part in LEAKING)
    source = write(tmp_path / "mm" / "x.inter", "userID\titemID\tx_label\n" + rows)
    log = write(tmp_path / "log.csv", "user,item,split\n" + "".join(",".join(row) + "\n" for row in LEAKING))
    for dataset, value in (
        (import_mmrec(source.parent, tmp_path / "a"), "1"), (import_table(log, tmp_path / "b"), "i1")
    ):  # fmt: skip
        assert [row[1:] for row in rejected(dataset)] == [(6, rejected(dataset)[0][2], "duplicate pair", value)]
        kept = dataset.interactions()
        assert not kept.select("user_id", "item_id").is_duplicated().any() and kept.height == 5
        assert kept["split"].to_list() == ["train", "train", "valid", "train", "test"], "the first row stays"


def test_a_pair_in_two_splits_is_named_by_the_doctor_and_not_trained_on(tmp_path):
    log = pl.DataFrame(LEAKING, schema=["user_id", "item_id", "split"], orient="row")
    items = pl.DataFrame(
        {"item_id": ["i1", "i2", "i3"], "title": "T", "text": "", "image": None}, schema_overrides={"image": pl.String}
    )
    dataset = damaged(tmp_path / "data", items=items, log=log)
    report = examine(dataset)
    finding = next(finding for finding in report.findings if finding.check == "leaking split")
    assert finding.severity == "error" and not report.trainable and "row 6" in finding.examples[0]
    with pytest.raises(DataError, match=r"1 \(user, item\) pairs are in two splits \(first: 'u1', 'i1'\)"):
        split(log, items["item_id"].to_list())
    assert len(split(log[:5], items["item_id"].to_list()).test) == 1
    several = [split(pl.concat([log.drop("split")] * 3), ["i1", "i2", "i3"], seed=seed) for seed in range(5)]
    assert all(len(set(s.train.keys().tolist()) & set(s.test.keys().tolist())) == 0 for s in several)
    twice = pl.concat([log[:5], log[:1]])  # in one split it is no leak
    assert len(split(twice, items["item_id"].to_list()).train) == 4


def drawn(train: Interactions, epochs: int = 60) -> set[tuple[int, int]]:
    """Every (user, negative) of many epochs."""
    rng, found = torch.Generator().manual_seed(0), set()
    sampler = TripletSampler(train)
    for _ in range(epochs):
        for batch in sampler.epoch(512, rng):
            found |= set(zip(batch.users.tolist(), batch.negatives.tolist(), strict=True))
    return found


def test_negatives_exclude_what_was_taken_in_train_and_nothing_else(world):
    """A held-out item can be drawn: to leave it out would tell the model what it will be asked for."""
    train, negatives = world.split.train, drawn(world.split.train)
    taken = set(zip(train.users.tolist(), train.items.tolist(), strict=True))
    users, candidates = set(train.users.tolist()), set(train.items.tolist())
    assert negatives == {(u, i) for u in users for i in candidates} - taken
    test = world.split.test
    held_out = {(u, i) for u, i in zip(test.users.tolist(), test.items.tolist(), strict=True) if i in candidates}
    assert held_out and {pair for pair in held_out if pair[0] in users} <= negatives
    leaking = drawn(train.union(test))
    assert not held_out & leaking, "a sampler that was shown the test set would be caught by the line above"
