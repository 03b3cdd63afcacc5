"""The training loop: it is the textbook one, it stops when it should, and it says what went wrong."""

import json
import math
import platform
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

from noisy import Noisy, NoisyConfig
from viral.base.errors import UsageError
from viral.base.recipe import TrainConfig
from viral.data.sampling import TripletSampler
from viral.training import EpochRecord, build_model, fit
from viral.training import loop as training
from worlds import World, interactions, small_model, two_tastes

CONFIG = TrainConfig(learning_rate=0.01, batch_size=100, max_epochs=3, seed=5)


@pytest.fixture(scope="module")
def world() -> World:
    return two_tastes(16)


def snapshot(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def equal(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("name", ["bpr", "lightgcn", "viral", "viral-light"])
def test_fit_is_the_textbook_loop_bit_for_bit(name, world):
    ours, textbook = small_model(name, world), small_model(name, world)
    epochs = []
    config = replace(CONFIG, loss="own")
    report = fit(ours, world.split, config, on_epoch=lambda record: epochs.append(snapshot(ours)))

    rng = torch.Generator().manual_seed(5)
    optimizer = torch.optim.Adam(textbook.parameters(), lr=0.01, fused=True)
    sampler = TripletSampler(world.split.train)
    for epoch in range(3):
        textbook.train()
        textbook.on_epoch_start(rng)
        total, count = {}, 0
        for batch in sampler.epoch(100, rng):
            optimizer.zero_grad()
            terms = textbook.loss(batch)
            sum(terms.values()).backward()
            optimizer.step()
            count += len(batch)
            total = {key: total.get(key, 0) + term.item() * len(batch) for key, term in terms.items()}
        assert equal(epochs[epoch], snapshot(textbook))
        expected = {key: value / count for key, value in total.items()}
        assert report.history[epoch].losses == pytest.approx(expected, rel=1e-5)


class Script:
    """Validation values that are decided beforehand; the weights at each evaluation are kept."""

    def __init__(self, values: list[float], model: torch.nn.Module) -> None:
        self.values: Iterator[float] = iter(values)
        self.model = model
        self.weights: list[dict[str, torch.Tensor]] = []

    def __call__(self, scorer, split) -> dict[str, float]:
        self.weights.append(snapshot(self.model))
        return {CONFIG.monitor: next(self.values)}


def scripted(monkeypatch, world: World, values: list[float], **config):
    model = small_model("bpr", world)
    script = Script(values, model)
    monkeypatch.setattr(training, "measure_valid", script)
    report = fit(model, world.split, replace(CONFIG, **{"max_epochs": len(values)} | config))
    return report, model, script


def test_it_stops_after_more_than_patience_evaluations_without_gain(monkeypatch, world):
    report, model, script = scripted(monkeypatch, world, [0.1, 0.3, 0.2, 0.3, 0.25, 0.9, 0.9], patience=2)
    assert (report.best_epoch, report.best_value) == (1, 0.3)
    assert len(report.history) == 5  # three evaluations after the best one; 0.3 again is no gain
    assert report.stopped_because == "patience"
    assert equal(snapshot(model), script.weights[1]), "the model is left at its best epoch"
    assert not model.training


def test_the_monitored_value_is_not_rounded(monkeypatch, world):
    rising, falling = ([0.12344 + sign * n * 1e-9 for n in range(6)] for sign in (1, -1))
    report, _, _ = scripted(monkeypatch, world, rising, patience=1)
    assert (report.best_epoch, report.best_value, report.stopped_because) == (5, rising[5], "max_epochs")
    report, _, _ = scripted(monkeypatch, world, falling, patience=1)
    assert (report.best_epoch, report.best_value, report.stopped_because) == (0, 0.12344, "patience")


def test_the_last_epoch_can_be_the_best(monkeypatch, world):
    report, model, script = scripted(monkeypatch, world, [0.1, 0.2, 0.3])
    assert report.best_epoch == 2 and equal(snapshot(model), script.weights[2])


def test_evaluating_every_few_epochs(monkeypatch, world):
    report, _, _ = scripted(monkeypatch, world, [0.1, 0.3, 0.2], max_epochs=7, evaluate_every=3)
    assert [bool(record.valid) for record in report.history] == [False, False, True, False, False, True, True]
    assert report.best_epoch == 5


def test_patience_counts_evaluations_not_epochs(monkeypatch, world):
    report, _, _ = scripted(monkeypatch, world, [0.3, 0.2, 0.1, 0.1], max_epochs=20, evaluate_every=2, patience=1)
    assert report.stopped_because == "patience" and len(report.history) == 6


def test_the_test_split_is_never_looked_at(world):
    class Poison:
        def __getattribute__(self, name):
            raise AssertionError(f"test.{name} was read")

        def __len__(self):
            raise AssertionError("the size of test was read")

    split = replace(world.split, test=Poison())
    for name in ("lightgcn", "viral", "viral-light", "ease"):
        assert fit(small_model(name, world), split, replace(CONFIG, max_epochs=2)).history


def test_the_global_random_state_is_left_alone(world):
    torch.manual_seed(123)
    before = torch.get_rng_state()
    fit(build_model(Noisy, world.inputs, NoisyConfig(), 0), world.split, CONFIG)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_report(world):
    model = small_model("lightgcn", world)
    report = fit(model, world.split, CONFIG)
    assert report.num_parameters == 32 * 16
    assert [record.epoch for record in report.history] == [0, 1, 2]
    assert all(seconds > 0 for seconds in report.epoch_seconds)
    assert all(record.valid.keys() >= {"recall@10", "recall@20", "ndcg@10", "ndcg@20"} for record in report.history)
    assert report.best_value == max(record.valid["recall@20"] for record in report.history)
    assert report.peak_memory_bytes > 50_000_000
    again = json.loads(json.dumps(report.to_json()))
    assert again["epoch_seconds"] == report.epoch_seconds and again["history"][2]["losses"].keys() == {"bpr", "reg"}


def test_peak_memory_is_in_bytes_everywhere(monkeypatch):
    kilobytes = training.peak_memory_bytes() // 1024
    monkeypatch.setattr(sys, "platform", "darwin")
    assert training.peak_memory_bytes() == pytest.approx(kilobytes, rel=0.2)


def test_a_loss_that_is_not_finite_is_named(world):
    model = build_model(Noisy, world.inputs, NoisyConfig(scale=float("nan")), 0)
    with pytest.raises(UsageError, match="the bpr loss is nan in epoch 0") as caught:
        fit(model, world.split, CONFIG)
    assert "learning_rate" in caught.value.hint


def test_a_learning_rate_that_explodes_is_named(world):
    with pytest.raises(UsageError, match=r"loss is (nan|inf) in epoch \d"):
        fit(small_model("lightgcn", world), world.split, replace(CONFIG, learning_rate=1e37))


def test_the_learning_rate_decays_by_the_fiftieth_epoch(monkeypatch, world):
    rates: list[float] = []
    step = torch.optim.Adam.step

    def watched(optimizer: torch.optim.Adam, *arguments: object) -> object:
        rates.append(optimizer.param_groups[0]["lr"])
        return step(optimizer, *arguments)

    monkeypatch.setattr(torch.optim.Adam, "step", watched)
    config = replace(CONFIG, batch_size=10_000, max_epochs=51, patience=60, decay=0.5)
    fit(small_model("bpr", world), world.split, config)
    assert rates[0] == 0.01 and rates[25] == pytest.approx(0.01 * 0.5**0.5) and rates[50] == pytest.approx(0.005)


def test_weight_decay_shrinks_the_parameters(world):
    sizes = []
    for weight_decay in (0.0, 1.0):
        model = small_model("bpr", world)
        fit(model, world.split, replace(CONFIG, weight_decay=weight_decay))
        sizes.append(sum(parameter.square().sum().item() for parameter in model.parameters()))
    assert sizes[1] < sizes[0]


def never(record: EpochRecord) -> None:
    raise AssertionError("an epoch was trained")


@pytest.mark.parametrize("name", ["bpr", "ease"])
def test_an_unknown_monitor_names_the_nearest_before_anything_is_trained(name, world):
    with pytest.raises(UsageError, match="cannot monitor 'recal@20'") as caught:
        fit(small_model(name, world), world.split, replace(CONFIG, monitor="recal@20"), on_epoch=never)
    assert "recall@20" in caught.value.hint


@pytest.mark.parametrize("monitor", ["recall@10", "ndcg@20", "coverage@10"])
def test_what_can_be_monitored(monitor, world):
    report = fit(small_model("bpr", world), world.split, replace(CONFIG, monitor=monitor))
    assert report.best_value == max(record.valid[monitor] for record in report.history)


def test_without_validation_the_last_epoch_is_kept(world):
    split, config = replace(world.split, valid=interactions([], 16, 16)), replace(CONFIG, max_epochs=7, patience=1)
    model, states = small_model("bpr", world), []
    report = fit(model, split, config, on_epoch=lambda record: states.append(snapshot(model)))
    assert (len(report.history), report.best_epoch, report.stopped_because) == (7, 6, "max_epochs")
    assert math.isnan(report.best_value) and not any(record.valid for record in report.history)
    assert equal(snapshot(model), states[-1])


def test_a_closed_form_is_only_measured(world):
    report = fit(small_model("ease", world), world.split, CONFIG)
    assert report.stopped_because == "closed form" and report.best_epoch == 0
    assert report.best_value == report.history[0].valid["recall@20"] == 1.0
    unmeasured = fit(small_model("ease", world), replace(world.split, valid=interactions([], 16, 16)), CONFIG)
    assert unmeasured.best_value != unmeasured.best_value and unmeasured.history[0].valid == {}


def test_users_who_took_everything_are_spoken_of(world, capsys):
    everything = interactions([(0, i) for i in range(16)], 16, 16)
    split = replace(world.split, train=world.split.train.union(everything))
    fit(small_model("bpr", world), split, CONFIG)
    assert "22 interactions of users who chose every item cannot be trained on" in capsys.readouterr().err


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="what is kept is up to the C library")
def test_pages_are_kept_from_step_to_step():
    """Told in a process of its own: what an allocator keeps depends on all that ran before."""
    count = (
        "import resource, torch; from viral.base.memory import keep_pages\n"
        "def faults():\n"
        "    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "    for _ in range(10): tables = [torch.ones(12 << 20) for _ in range(5)]; del tables\n"
        "    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before\n"
        "plain = faults(); keep_pages(); faults(); print(plain, faults())"
    )
    done = subprocess.run([sys.executable, "-c", count], check=True, capture_output=True, text=True)
    plain, kept = map(int, done.stdout.split())
    assert kept < 100 < plain
