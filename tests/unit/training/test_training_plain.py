"""What training does quickly against its plain form: the fused optimiser, and the memory that is kept."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from viral.base.recipe import TrainConfig
from viral.data.sampling import TripletSampler
from viral.training import fit
from worlds import World, small_model, two_tastes

CONFIG = TrainConfig(learning_rate=0.01, batch_size=40, max_epochs=5, decay=0.5, seed=5)
TESTS = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def world() -> World:
    return two_tastes(16)


def snapshot(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def written_out(
    model: torch.nn.Module, moments: dict[str, list[torch.Tensor]], t: int, rate: float, weight_decay: float
) -> None:
    """Step t of Adam as Kingma & Ba (2015) write it, the decay added to the gradient."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            gradient = parameter.grad + weight_decay * parameter
            first, second = moments.setdefault(name, [torch.zeros_like(parameter), torch.zeros_like(parameter)])
            first.copy_(0.9 * first + 0.1 * gradient)
            second.copy_(0.999 * second + 0.001 * gradient.square())
            parameter -= rate * (first / (1 - 0.9**t)) / ((second / (1 - 0.999**t)).sqrt() + 1e-8)


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
@pytest.mark.parametrize("name", ["bpr", "lightgcn"])
def test_the_fused_optimiser_is_adam_written_out(name, weight_decay, world):
    config = replace(CONFIG, weight_decay=weight_decay)
    ours, plain, epochs = small_model(name, world), small_model(name, world), []
    fit(ours, world.split, config, on_epoch=lambda record: epochs.append(snapshot(ours)))

    rng, sampler, moments, t = torch.Generator().manual_seed(5), TripletSampler(world.split.train), {}, 0
    for epoch, found in enumerate(epochs):
        for batch in sampler.epoch(40, rng):
            plain.zero_grad()
            sum(plain.loss(batch).values()).backward()
            t += 1
            written_out(plain, moments, t, 0.01 * 0.5 ** (epoch / 50), weight_decay)
        torch.testing.assert_close(found, snapshot(plain), rtol=1e-3, atol=1e-5)
    assert t == 5 * len(range(0, len(sampler), 40)) > 5


SAME = """
import hashlib, sys
import torch
from viral.training import loop as training
from test_training_plain import CONFIG
from noisy import Noisy, NoisyConfig
from worlds import small_model, two_tastes

torch.set_num_threads(1)
if sys.argv[1] == "plain":
    training.keep_pages = lambda: None
world = two_tastes(16)
noisy = training.build_model(Noisy, world.inputs, NoisyConfig(), 0)
for model in (*(small_model(name, world) for name in ("lightgcn", "viral", "viral-light")), noisy):
    training.fit(model, world.split, CONFIG)
    print(hashlib.sha256(b"".join(value.numpy().tobytes() for value in model.state_dict().values())).hexdigest())
"""


def test_kept_pages_change_no_weight():
    paths = os.pathsep.join(str(path) for path in (TESTS, TESTS / "unit" / "training", TESTS.parent / "src"))
    environment = os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    plain, kept = (
        subprocess.run([sys.executable, "-c", SAME, way], env=environment, check=True, capture_output=True, text=True)
        for way in ("plain", "kept")
    )
    assert len(kept.stdout.split()) == 4 and kept.stdout == plain.stdout
