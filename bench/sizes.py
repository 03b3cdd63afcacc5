"""The same work on logs of 1, 4, 16 and 64 times a size, for the growth with the interactions."""

import statistics
import time
from collections.abc import Callable

import numpy as np
import torch

from bench.measures import few
from viral.data.inputs import ModelInputs
from viral.data.interactions import Interactions
from viral.data.sampling import TripletSampler
from viral.evaluation import evaluate
from viral.graph import bipartite_adjacency, user_neighbors
from viral.lab.shop import ShopConfig, make_world
from viral.lab.shop.choices import choose
from viral.models import LightGCN
from viral.training import build_model

LARGEST, TIMES = {"users": 200_000, "items": 50_000, "interactions": 5_000_000}, 64
STEPS, RANKED = 58, 1_000  # steps of an epoch at every size (see bench.scale), users ranked for


def measure(size: int) -> dict[str, float]:
    """Processor seconds of each piece of work on a log of ``size`` / 64 of the largest."""
    rng = torch.Generator().manual_seed(0)
    train, held_out = _planted(size)
    model = build_model(LightGCN, ModelInputs(train), LightGCN.Config(), 0)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    sampler = TripletSampler(train)
    batches = iter(list(sampler.epoch(-(-len(sampler) // STEPS), rng)))

    def step() -> None:
        loss = torch.stack(list(model.loss(next(batches)).values())).sum()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    step()
    valid, scorer = few(held_out, RANKED), model.scorer()
    return {
        "sampling": _seconds(lambda: list(sampler.epoch(65_536, rng))),
        "bipartite graph": _seconds(lambda: bipartite_adjacency(train)),
        "graph of users": _seconds(lambda: user_neighbors(train, 40)),
        "LightGCN, a step": _seconds(step),
        f"ranking for {RANKED:,} users": _seconds(lambda: evaluate(scorer, valid, train)),
    }


def _planted(size: int) -> tuple[Interactions, Interactions]:
    """The planted shop's choices, eight in ten for training."""
    users, items, interactions = (value * size // TIMES for value in LARGEST.values())
    config = ShopConfig(users=users, items=items, interactions_per_user=interactions / users, pictures=False)
    chosen = torch.from_numpy(np.stack(choose(make_world(config), config)))  # (2, E)
    kept = torch.rand(chosen.shape[1], generator=torch.Generator().manual_seed(0)) < 0.8
    train, held_out = (Interactions(*chosen[:, part], users, items) for part in (kept, ~kept))
    return train, held_out


def _seconds(run: Callable[[], object], repeats: int = 5) -> float:
    spent = []
    for _ in range(repeats):
        started = time.process_time()
        run()
        spent.append(time.process_time() - started)
    return statistics.median(spent)
