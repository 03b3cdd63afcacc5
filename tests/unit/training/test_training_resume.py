"""A stopped training goes on and ends bit for bit as if it had never stopped."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from noisy import Noisy, NoisyConfig
from viral.base.errors import DataError, UsageError
from viral.base.recipe import TrainConfig
from viral.models import Recommender
from viral.training import EpochRecord, TrainReport, build_model, fit
from viral.training import loop as training
from worlds import World, small_model, two_tastes

CONFIG = TrainConfig(learning_rate=0.01, batch_size=100, max_epochs=6, patience=3, seed=2, monitor="ndcg@10")
TESTS = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def world() -> World:
    return two_tastes(16)


def make(name: str, world: World, seed: int = 0) -> Recommender:
    return build_model(Noisy, world.inputs, NoisyConfig(), seed) if name == "noisy" else small_model(name, world, seed)


def facts(report: TrainReport) -> list:
    """A report without what the clock and the operating system say."""
    history = [(record.epoch, record.losses, record.valid) for record in report.history]
    return [report.best_epoch, report.best_value, report.stopped_because, report.num_parameters, history]


def assert_same(model: Recommender, report: TrainReport, other: Recommender, expected: TrainReport) -> None:
    assert facts(report) == facts(expected)
    state = other.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())


def interrupt(after: int):
    def on_epoch(record: EpochRecord) -> None:
        if record.epoch == after:
            raise KeyboardInterrupt

    return on_epoch


@pytest.mark.parametrize(
    "config",
    [
        CONFIG,
        replace(CONFIG, evaluate_every=4),
        replace(CONFIG, loss="softmax", batch_size=5, evaluate_every=1),
        replace(CONFIG, loss="softmax", batch_size=5, sampled_items=6, evaluate_every=2),
    ],
    ids=["every epoch", "every fourth", "softmax", "softmax over some items"],
)
@pytest.mark.parametrize("name", ["lightgcn", "viral", "viral-light", "noisy"])
def test_interrupted_twice(name, config, world, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0)
    whole = make(name, world)
    expected = fit(whole, world.split, config)
    checkpoint = tmp_path / "checkpoint"
    for last, seed in ((2, 0), (4, 7)):
        with pytest.raises(KeyboardInterrupt):
            fit(make(name, world, seed), world.split, config, checkpoint=checkpoint, on_epoch=interrupt(last))
    resumed, epochs = make(name, world, seed=9), []
    report = fit(resumed, world.split, config, checkpoint=checkpoint, on_epoch=lambda r: epochs.append(r.epoch))
    assert epochs[0] == 4, "the epochs before are not trained again"
    assert_same(resumed, report, whole, expected)


def test_a_parameter_that_no_loss_reaches_is_no_obstacle(world, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0)
    models = [make("noisy", world), make("noisy", world), make("noisy", world)]
    for model in models:
        model.unused = torch.nn.Parameter(torch.ones(2))
    whole, first, resumed = models
    expected = fit(whole, world.split, CONFIG)
    with pytest.raises(KeyboardInterrupt):
        fit(first, world.split, CONFIG, checkpoint=tmp_path / "c", on_epoch=interrupt(3))
    assert_same(resumed, fit(resumed, world.split, CONFIG, checkpoint=tmp_path / "c"), whole, expected)


def test_a_finished_training_is_not_repeated(world, tmp_path):
    model = make("lightgcn", world)
    expected = fit(model, world.split, CONFIG, checkpoint=tmp_path / "c")

    def never(record: EpochRecord) -> None:
        raise AssertionError("an epoch was trained")

    again = make("lightgcn", world, seed=3)
    assert_same(again, fit(again, world.split, CONFIG, checkpoint=tmp_path / "c", on_epoch=never), model, expected)


def test_it_saves_no_more_often_than_every_ten_seconds(world, tmp_path, monkeypatch):
    clock, saved = [0.0], []
    monkeypatch.setattr(training.time, "monotonic", lambda: clock[0])
    save = training.save_checkpoint
    monkeypatch.setattr(training, "save_checkpoint", lambda *a: saved.append(clock[0]) or save(*a))

    def four_seconds(record: EpochRecord) -> None:
        clock[0] += 4

    config = replace(CONFIG, max_epochs=8, patience=8)
    fit(make("bpr", world), world.split, config, checkpoint=tmp_path / "c", on_epoch=four_seconds)
    assert saved == [12, 24, 32]


def test_another_configuration_is_refused(world, tmp_path):
    fit(make("bpr", world), world.split, CONFIG, checkpoint=tmp_path / "c")
    with pytest.raises(UsageError, match="another training configuration"):
        fit(make("bpr", world), world.split, replace(CONFIG, learning_rate=0.02), checkpoint=tmp_path / "c")


@pytest.mark.parametrize("name", ["lightgcn", "viral", "viral-light"])
def test_another_model_is_refused(name, world, tmp_path):
    config = CONFIG.of_model({})  # whatever the other model would be trained by
    fit(make("bpr", world), world.split, config, checkpoint=tmp_path / "c")
    with pytest.raises(UsageError, match="another model"):
        fit(make(name, world), world.split, config, checkpoint=tmp_path / "c")


def test_another_size_is_refused(world, tmp_path):
    fit(make("bpr", world), world.split, CONFIG, checkpoint=tmp_path / "c")
    with pytest.raises(UsageError, match="another size"):
        fit(small_model("bpr", world, embedding_dim=8), world.split, CONFIG, checkpoint=tmp_path / "c")


def test_another_depth_is_refused_though_its_parameters_have_the_same_shapes(world, tmp_path):
    fit(make("lightgcn", world), world.split, CONFIG, checkpoint=tmp_path / "c")
    with pytest.raises(UsageError, match="or configuration"):
        fit(small_model("lightgcn", world, num_layers=4), world.split, CONFIG, checkpoint=tmp_path / "c")


def test_more_epochs_may_be_asked_for(world, tmp_path):
    fit(make("bpr", world), world.split, replace(CONFIG, max_epochs=3), checkpoint=tmp_path / "c")
    resumed, whole = make("bpr", world, seed=4), make("bpr", world)
    report = fit(resumed, world.split, CONFIG, checkpoint=tmp_path / "c")
    assert_same(resumed, report, whole, fit(whole, world.split, CONFIG))


def test_a_damaged_checkpoint_is_named(world, tmp_path):
    (tmp_path / "c").write_bytes(b"not tensors")
    with pytest.raises(DataError, match="damaged"):
        fit(make("bpr", world), world.split, CONFIG, checkpoint=tmp_path / "c")


KILLED = """
import os, signal, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from viral.training import checkpoint
from viral.training import loop as training
from test_training_resume import CONFIG, make
from worlds import two_tastes

training.CHECKPOINT_SECONDS = 0
write, writes = checkpoint.save_file, []

def half(tensors, file, metadata):
    writes.append(file)
    write(tensors, file, metadata)
    if len(writes) == 3:
        os.truncate(file, os.path.getsize(file) // 2)
        os.kill(os.getpid(), signal.SIGKILL)

checkpoint.save_file = half
world = two_tastes(16)
training.fit(make("viral", world), world.split, CONFIG, checkpoint=Path(sys.argv[1]))
"""


def test_killed_while_it_writes_a_checkpoint(world, tmp_path):
    paths = os.pathsep.join([str(TESTS), str(TESTS / "unit" / "training"), str(TESTS.parent / "src")])
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path / "c")],
        env=os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    whole, resumed, epochs = make("viral", world), make("viral", world, seed=1), []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        expected = fit(whole, world.split, CONFIG)
        report = fit(resumed, world.split, CONFIG, checkpoint=tmp_path / "c", on_epoch=lambda r: epochs.append(r.epoch))
    finally:
        torch.set_num_threads(threads)
    assert epochs[0] == 2, "the second epoch's checkpoint is whole"
    assert_same(resumed, report, whole, expected)
