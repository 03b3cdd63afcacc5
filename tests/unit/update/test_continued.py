"""Training that goes on: gently, not for long, and never to something worse on validation."""

from dataclasses import replace

import pytest
import torch

from viral.models import LightGCN, Popularity
from viral.recipe import TrainConfig
from viral.training import build_model, fit, measure_valid
from viral.update.continued import NOT_TRAINED, PATIENCE, RATE, go_on
from worlds import World, random_world, two_tastes

TRAIN = TrainConfig(learning_rate=0.02, max_epochs=40, batch_size=256, patience=10)


@pytest.fixture(scope="module")
def world() -> World:
    return two_tastes(40)


def trained(world: World) -> LightGCN:
    model = build_model(LightGCN, world.inputs, LightGCN.Config(embedding_dim=8), 0)
    fit(model, world.split, TRAIN)
    return model


def test_where_training_does_harm_the_start_is_kept() -> None:
    """On random interactions, at a rate that destroys what was learnt."""
    world = random_world(40, 60, 0.1, 0)
    model = trained(world)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    start = measure_valid(model, world.split)["recall@20"]
    report, told = go_on(model, world.split, replace(TRAIN, learning_rate=1e3, max_epochs=3))
    assert max(record.valid["recall@20"] for record in report.history) <= start == told
    assert report.best_epoch == NOT_TRAINED and report.best_value == start
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not model.training and measure_valid(model, world.split)["recall@20"] == start


def test_where_training_helps_the_best_epoch_is_kept(world: World) -> None:
    model = build_model(LightGCN, world.inputs, LightGCN.Config(embedding_dim=8), 0)  # has learnt nothing yet
    report, start = go_on(model, world.split, replace(TRAIN, learning_rate=0.2))
    assert start is not None and report.best_value > start and report.best_epoch >= 0
    assert measure_valid(model, world.split)["recall@20"] == report.best_value


def test_it_goes_gently_and_not_for_long(world: World) -> None:
    model, alike = trained(world), trained(world)
    report, start = go_on(model, world.split, TRAIN)
    assert start == 1.0 and report.stopped_because == "patience" and len(report.history) == PATIENCE + 2
    first = replace(TRAIN, learning_rate=RATE * TRAIN.learning_rate, max_epochs=1)
    assert fit(alike, world.split, first).history[0].losses == report.history[0].losses
    asked, _ = go_on(trained(world), world.split, TRAIN, patience=6)
    assert len(asked.history) == 6 + 2
    hasty, _ = go_on(trained(world), world.split, replace(TRAIN, patience=1))
    assert len(hasty.history) == 1 + 2


def test_a_closed_form_is_computed_anew(world: World) -> None:
    model = Popularity(world.inputs, Popularity.Config())
    report, start = go_on(model, world.split, TRAIN)
    assert start is None and report.stopped_because == "closed form"
