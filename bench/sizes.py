"""The same work on logs of 1, 4, 16 and 64 times a size, for the growth with the interactions."""

import statistics
import time
from collections.abc import Callable

import torch

from bench.measures import few
from bench.worlds import generated
from viral.data import ModelInputs, TripletSampler
from viral.evaluation import evaluate
from viral.graph import bipartite_adjacency, co_occurrence
from viral.models import LightGCN
from viral.training import build_model

LARGEST, TIMES = {"users": 200_000, "items": 50_000, "interactions": 5_000_000}, 64
STEPS, RANKED = 58, 1_000  # steps of an epoch at every size (see bench.scale), users ranked for


def measure(size: int) -> dict[str, float]:
    """Processor seconds of each piece of work on a log of ``size`` / 64 of the largest."""
    parts = generated(**{name: value * size // TIMES for name, value in LARGEST.items()})
    train, rng = parts.train, torch.Generator().manual_seed(0)
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
    valid, scorer = few(parts.valid, RANKED), model.scorer()
    return {
        "sampling": _seconds(lambda: list(sampler.epoch(65_536, rng))),
        "bipartite graph": _seconds(lambda: bipartite_adjacency(train)),
        "graph of users": _seconds(lambda: co_occurrence(train, 40)),
        "LightGCN, a step": _seconds(step, 5),
        f"ranking for {RANKED:,} users": _seconds(lambda: evaluate(scorer, valid, train)),
    }


def _seconds(run: Callable[[], object], repeats: int = 3) -> float:
    spent = []
    for _ in range(repeats):
        started = time.process_time()
        run()
        spent.append(time.process_time() - started)
    return statistics.median(spent)
