"""Training that goes on for as long as it is told, and validation does not choose."""

from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from viral.base.recipe import TrainConfig
from viral.evaluation.protocol import measure_valid
from viral.models import LightGCN, Popularity
from viral.run.update.warm_start import LEAST, epochs_after, go_on
from viral.training import EpochRecord, build_model, fit
from viral.training.objectives import ranker_of
from worlds import World, random_world, small_model, two_tastes

TRAIN = TrainConfig(learning_rate=0.02, max_epochs=40, batch_size=256, patience=10)


@pytest.fixture(scope="module")
def world() -> World:
    return two_tastes(40)


def trained(world: World) -> LightGCN:
    model = build_model(LightGCN, world.inputs, LightGCN.Config(embedding_dim=8), 0)
    fit(model, world.split, TRAIN)
    return model


def test_the_start_is_what_ranked() -> None:
    """Cosines, where the loss is of cosines; and the training is the model's own where the recipe leaves it out."""
    world = random_world(40, 60, 0.1, 0)
    model = small_model("lightgcn", world)
    softmax = replace(TRAIN, loss="softmax", learning_rate=1e-9)
    wanted = measure_valid(ranker_of(model, softmax), world.split)["recall@20"]
    assert wanted != measure_valid(model.scorer(), world.split)["recall@20"], "the lengths of vectors count otherwise"
    found = go_on(model, world.split, softmax, 1)
    assert found.start == wanted and found.best_value == wanted
    assert found.history[0].losses.keys() == {"softmax", "reg"}
    viral = go_on(small_model("viral", world), world.split, TRAIN, 1)
    assert viral.history[0].losses.keys() == {"softmax"}


def test_it_ends_at_the_mean_of_the_last_half(world: World) -> None:
    model, alike = trained(world), trained(world)
    report = go_on(model, world.split, TRAIN, 5)
    assert report.start == 1.0 and len(report.history) == 5 and report.best_epoch == 4
    assert [bool(record.valid) for record in report.history] == [False] * 4 + [True]  # validation costs time, too
    states: list[dict[str, torch.Tensor]] = []

    def keep(record: EpochRecord) -> None:
        states.append({name: value.clone() for name, value in alike.state_dict().items()})

    fit(alike, world.split, replace(TRAIN, max_epochs=5, evaluate_every=5), on_epoch=keep)
    for name, value in model.state_dict().items():
        assert_close(value, torch.stack([state[name] for state in states[2:]]).mean(dim=0))
        assert not torch.equal(value, states[-1][name])


def test_the_start_is_left_though_it_was_better_on_validation() -> None:
    """It was chosen there as the best of many epochs. Here the rate destroys what was learnt."""
    world = random_world(40, 60, 0.1, 0)
    model = trained(world)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    report = go_on(model, world.split, replace(TRAIN, learning_rate=1e3), 1)
    assert report.start is not None and report.best_value < report.start
    assert not any(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert measure_valid(model.scorer(), world.split)["recall@20"] == report.best_value


def test_a_share_of_the_epochs_from_scratch() -> None:
    assert [epochs_after(epochs) for epochs in (0, 10, 100, 1000)] == [LEAST, LEAST, 12, 120]


def test_a_closed_form_is_computed_anew(world: World) -> None:
    model = Popularity(world.inputs, Popularity.Config())
    report = go_on(model, world.split, TRAIN, 3)
    assert report.start is None and report.stopped_because == "closed form"
