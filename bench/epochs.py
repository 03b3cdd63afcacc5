"""A training epoch of any model of the zoo on Baby's size, split into its parts."""

import statistics
import time
from pathlib import Path
from typing import Any

import torch

from bench.steps import ALONE, BATCH, OF_VIRAL, _inputs
from viral.data import TripletSampler
from viral.models import MODELS, EmbeddingRecommender
from viral.recipe import build
from viral.training import build_model

STEPS = 5


def learners() -> list[str]:
    """The models that are trained by gradient."""
    return [name for name, model in MODELS.items() if issubclass(model, EmbeddingRecommender)]


def epoch(name: str, baby: Path | None) -> dict[str, float]:
    """Seconds of an epoch in batches of 2048, estimated from the medians of five steps, and of each of its parts.

    ``embed`` is one forward pass over all users and items, with what autograd keeps; a model's loss contains it, or as
    much of it as it needs. A model in closed form has only the time of its solution, ``build``.
    """
    inputs, model_class = _inputs(baby), MODELS[name]
    fields = model_class.Config.__dataclass_fields__
    settings = (OF_VIRAL if name == "viral" else ALONE) if "visual" in fields else {}
    started = time.perf_counter()
    model: Any = build_model(model_class, inputs, build(model_class.Config, settings, where="bench"), 0)
    built = time.perf_counter() - started
    if name not in learners():
        return {"build": built}
    steps = -(-len(inputs.train) // BATCH)
    spent = _steps(model.train(), TripletSampler(inputs.train))
    once = {key: spent.pop(key)[0] for key in ("sampling", "epoch start")}
    medians = {key: statistics.median(values) * steps for key, values in spent.items()}
    parts = {**once, **medians}
    total = sum(value for key, value in parts.items() if key != "embed")  # which is in the loss
    return {"epoch": total, **parts, "build": built}


def _steps(model: Any, sampler: TripletSampler) -> dict[str, list[float]]:
    """Seconds of sampling a whole epoch and of its start, and of the parts of each of some steps."""
    rng = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    marks = [time.perf_counter()]
    batches = list(sampler.epoch(BATCH, rng))
    marks.append(time.perf_counter())
    model.on_epoch_start(rng)
    marks.append(time.perf_counter())
    spent: dict[str, list[float]] = {"sampling": [marks[1] - marks[0]], "epoch start": [marks[2] - marks[1]]}
    for step in range(STEPS + 1):
        marks = [time.perf_counter()]
        model.embed()
        marks.append(time.perf_counter())
        total = torch.stack(list(model.loss(batches[step % len(batches)]).values())).sum()
        marks.append(time.perf_counter())
        optimizer.zero_grad(set_to_none=True)
        total.backward()
        marks.append(time.perf_counter())
        optimizer.step()
        marks.append(time.perf_counter())
        if step:  # the first one meets fresh memory
            for key, start, end in zip(("embed", "loss", "backward", "optimiser"), marks, marks[1:], strict=False):
                spent.setdefault(key, []).append(end - start)
    return spent
