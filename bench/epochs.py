"""A training epoch of any model of the zoo on Baby's size, split into its parts."""

import functools
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from bench.steps import BATCH, _inputs
from viral.base.memory import keep_pages
from viral.data.sampling import TripletSampler
from viral.graph import SparseMatrix
from viral.graph.functions.edges import Edges
from viral.models import MODELS, EmbeddingRecommender
from viral.training import build_model

STEPS = 5
PRODUCTS = ((SparseMatrix, ("multiply",)), (Edges, ("products", "gather", "scatter")))  # what propagates


def learners() -> list[str]:
    """The models that are trained by gradient."""
    return [name for name, model in MODELS.items() if issubclass(model, EmbeddingRecommender)]


def epoch(name: str, baby: Path | None) -> dict[str, float]:
    """Seconds of an epoch in batches of 2048 by the model's default configuration, and of each of its parts.

    Estimated from the medians of five steps; sampling and the epoch's start are medians of five as well. Propagation is
    all products with graphs, forward and backward; the loss and the backward pass are told without them. A model in
    closed form has only the time of its solution, ``build``.
    """
    inputs, model_class = _inputs(baby), MODELS[name]
    started = time.perf_counter()
    model: Any = build_model(model_class, inputs, model_class.Config(), 0)
    built = time.perf_counter() - started
    if name not in learners():
        return {"build": built}
    keep_pages()  # as a training does
    steps = -(-len(inputs.train) // BATCH)
    spent = _steps(model.train(), TripletSampler(inputs.train))
    medians = {key: statistics.median(values) for key, values in spent.items()}
    parts = {key: value * (1 if key in ("sampling", "epoch start") else steps) for key, value in medians.items()}
    return {"epoch": sum(parts.values()), **parts, "build": built}


def _steps(model: Any, sampler: TripletSampler) -> dict[str, list[float]]:
    """Seconds of sampling a whole epoch and of its start, and of the parts of each of some steps."""
    rng = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    spent: dict[str, list[float]] = {}
    for _ in range(STEPS):
        marks = [time.perf_counter()]
        batches = list(sampler.epoch(BATCH, rng))
        marks.append(time.perf_counter())
        model.on_epoch_start(rng)
        marks.append(time.perf_counter())
        _note(spent, ("sampling", "epoch start"), marks)
    with _propagating() as products:
        for step in range(STEPS + 1):
            products.clear()
            marks = [time.perf_counter()]
            total = torch.stack(list(model.loss(batches[step % len(batches)]).values())).sum()
            marks.append(time.perf_counter())
            forward = sum(products)
            optimizer.zero_grad(set_to_none=True)
            total.backward()
            marks.append(time.perf_counter())
            optimizer.step()
            marks.append(time.perf_counter())
            if step:  # the first one meets fresh memory
                _note(spent, ("loss", "backward", "optimiser"), marks)
                spent["loss"][-1] -= forward
                spent["backward"][-1] -= sum(products) - forward
                spent.setdefault("propagation", []).append(sum(products))
    return spent


def _note(spent: dict[str, list[float]], names: tuple[str, ...], marks: list[float]) -> None:
    for name, start, end in zip(names, marks, marks[1:], strict=False):
        spent.setdefault(name, []).append(end - start)


@contextmanager
def _propagating() -> Iterator[list[float]]:
    """The seconds of every product with a graph meanwhile."""
    seconds: list[float] = []

    def timed(plain: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(plain)
        def product(*given: Any, **named: Any) -> Any:
            started = time.perf_counter()
            result = plain(*given, **named)
            seconds.append(time.perf_counter() - started)
            return result

        return product

    plain = [(owner, name, getattr(owner, name)) for owner, names in PRODUCTS for name in names]
    for owner, name, function in plain:
        setattr(owner, name, timed(function))
    try:
        yield seconds
    finally:
        for owner, name, function in plain:
            setattr(owner, name, function)
