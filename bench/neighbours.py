"""Training on a small planted shop alone, and beside one busy process on every core, in turns within one run.

A fair scheduler gives a training half of each core then, so it takes twice as long; ``limit`` is that. What is above
it are threads that wait for one that does not run. ``python -m bench.neighbours lightgcn`` trains once and prints
seconds.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parents[1]
SHOP = {"users": 600, "items": 300, "interactions_per_user": 8.0, "liked": 0.34, "popularity": 0.1}
EPOCHS = {"lightgcn": 150, "viral": 30}  # some seconds each
BUSY = "import os; parent = os.getppid()\nwhile os.getppid() == parent: pass"  # and not for longer than this bench
FAIR, REPEATS, WIDTH = 2.0, 3, 384


def measure() -> dict[str, dict[str, float]]:
    """Seconds of each training beside neighbours (``ours``), its fair share of the machine, and alone: medians."""
    rows = {}
    for name, epochs in EPOCHS.items():
        alone, beside = [], []
        for _ in range(REPEATS):
            alone.append(apart(name))
            with neighbours(os.cpu_count() or 1):
                beside.append(apart(name))
        quiet = statistics.median(alone)
        title = f"{epochs} epochs of {name} on a shop of {SHOP['users']} users, beside busy processes"
        rows[title] = {"ours": statistics.median(beside), "limit": FAIR * quiet, "alone": quiet}
    return rows


@contextmanager
def neighbours(count: int) -> Iterator[None]:
    """As many processes that are never idle, meanwhile."""
    busy = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(count)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
        for process in busy:
            process.wait()


def apart(name: str) -> float:
    """Seconds of one training, in a process of its own: how threads wait is read when torch is imported."""
    command = [sys.executable, "-m", "bench.neighbours", name]
    done = subprocess.run(command, cwd=HERE, check=True, stdout=subprocess.PIPE, text=True)
    return float(json.loads(done.stdout.splitlines()[-1]))


def train(name: str) -> float:
    """Seconds of ``fit``: training and validation."""
    import viral  # before torch, as every program that uses it should
    from viral.base.recipe import TrainConfig
    from viral.models import MODELS
    from viral.training import build_model

    inputs, parts = _world()
    model = build_model(MODELS[name], inputs, MODELS[name].Config(), 0)
    epochs = EPOCHS[name]
    config = TrainConfig(max_epochs=epochs, patience=epochs, evaluate_every=5)  # the rest as the model has it
    started = time.perf_counter()
    viral.fit(model, parts, config)
    return time.perf_counter() - started


def _world() -> tuple[Any, Any]:
    """The shop's choices in three parts, with random features of the usual widths."""
    import numpy as np
    import torch

    from viral.data.inputs import ModelInputs
    from viral.data.interactions import Interactions
    from viral.data.splitting import Split
    from viral.data.vocabulary import Vocabulary
    from viral.lab.shop import ShopConfig, make_world
    from viral.lab.shop.choices import choose

    config, rng = ShopConfig(**SHOP, pictures=False), torch.Generator().manual_seed(0)
    chosen = torch.from_numpy(np.stack(choose(make_world(config), config)))  # (2, E)
    place = torch.rand(chosen.shape[1], generator=rng)
    kept = (place < 0.8, (place >= 0.8) & (place < 0.9), place >= 0.9)
    sizes = config.users, config.items
    train, valid, test = (Interactions(*chosen[:, part], *sizes) for part in kept)
    ids = [Vocabulary(map(str, range(size)), kind) for size, kind in zip(sizes, ("user", "item"), strict=True)]
    features = {m: torch.randn(config.items, WIDTH, generator=rng) for m in ("text", "image", "description")}
    return ModelInputs(train, features), Split(train, valid, test, *ids)


if __name__ == "__main__":
    print(json.dumps(train(sys.argv[1])))
