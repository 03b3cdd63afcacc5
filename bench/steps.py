"""``python -m bench.steps``: one training step of every model, split into forward, backward and optimiser.

Baby's size, batch 2048, random 384-d features of every item: of the text alone, or with ``--image`` of both modalities.
One thread, and its own time rather than the clock's, so that other work on the machine counts little. Each model runs
in a process of its own; with ``--against FOLDER`` it takes turns with the same model of another checkout, and the table
has both, so that what is compared was measured in the same minutes.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

PARTS = ("forward", "backward", "optimiser")
HERE = Path(__file__).parents[1]
BATCH, WIDTH = 2048, 384
ALONE = {"visual": None}  # a multimodal model on the text alone
OF_VIRAL = {"visual": "text"}  # which has no such form: the text in both roles


def measure(name: str, image: bool, steps: int, baby: Path | None) -> dict[str, Any]:
    """Median milliseconds of each part of a step, and seconds to build the model and to start an epoch."""
    import torch

    from viral.base.memory import keep_pages, peak_memory_bytes
    from viral.base.recipe import build
    from viral.data.sampling import TripletSampler
    from viral.models import MODELS
    from viral.training import build_model

    torch.set_num_threads(1)
    keep_pages()  # as a training does
    inputs = _inputs(baby)
    fields = MODELS[name].Config.__dataclass_fields__
    settings = (OF_VIRAL if name.startswith("viral") else ALONE) if "visual" in fields and not image else {}
    started = time.process_time()
    model = build_model(MODELS[name], inputs, build(MODELS[name].Config, settings, where="bench"), 0).train()
    built = time.process_time()
    rng = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    model.on_epoch_start(rng)
    ready = time.process_time()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    seconds: dict[str, list[float]] = {part: [] for part in PARTS}
    losses: dict[str, float] = {}
    for step, batch in zip(range(steps + 1), TripletSampler(inputs.train).epoch(BATCH, rng), strict=False):
        terms = model.loss(batch)
        total = torch.stack(list(terms.values())).sum()
        marks = [time.process_time()]
        optimizer.zero_grad(set_to_none=True)
        total.backward()
        marks.append(time.process_time())
        optimizer.step()
        marks.append(time.process_time())
        losses = {term: value.item() for term, value in terms.items()}
        if step:  # the first one meets fresh memory
            for part, start, end in zip(PARTS, (ready, *marks), marks, strict=False):
                seconds[part].append(end - start)
        ready = time.process_time()
    return {
        "milliseconds": {part: statistics.median(values) * 1e3 for part, values in seconds.items()},
        "build_seconds": built - started,
        "losses": losses,
        "peak_megabytes": peak_memory_bytes() / 1e6,
    }


def _inputs(baby: Path | None) -> Any:
    """Baby where it is, else a generated log of its size, with random features."""
    import torch

    from bench import worlds
    from viral.data.inputs import ModelInputs

    _, parts, _ = worlds.load(argparse.Namespace(baby=baby))
    rng = torch.Generator().manual_seed(0)
    features = {m: torch.randn(parts.train.num_items, WIDTH, generator=rng) for m in ("text", "image", "description")}
    return ModelInputs(parts.train, features)


def apart(name: str, source: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """``measure`` in a process whose ``viral`` is that of ``source``; the bench is always this one."""
    command = [sys.executable, "-m", "bench.steps", "--here", name, "--steps", str(arguments.steps)]
    command += ["--image"] if arguments.image else []
    command += ["--baby", str(arguments.baby)] if arguments.baby else []
    environment = os.environ | {"PYTHONPATH": str(source / "src")}
    done = subprocess.run(command, cwd=HERE, env=environment, check=True, capture_output=True, text=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def best_of(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The run with the quickest step: other work on the machine only ever adds."""
    return min(runs, key=_step)


def _step(run: dict[str, Any]) -> float:
    return sum(run["milliseconds"].values())


def line(name: str, run: dict[str, Any], before: dict[str, Any] | None) -> str:
    """A row of the table."""
    cells = "".join(f"{run['milliseconds'][part]:>10.1f}" for part in PARTS)
    row = f"{name:<12}{cells}{_step(run):>10.1f}{run['build_seconds']:>9.1f}{run['peak_megabytes']:>9.0f}"
    return row if before is None else f"{row}{_step(before):>11.1f}{_step(before) / _step(run):>8.2f}×"


def main() -> None:
    """Print a row as soon as it is measured, and write all as JSON where asked."""
    from viral.base.files import write_json
    from viral.models import MODELS, EmbeddingRecommender

    learners = [name for name, model in MODELS.items() if issubclass(model, EmbeddingRecommender)]
    parser = argparse.ArgumentParser(prog="python -m bench.steps", description=__doc__)
    parser.add_argument("models", nargs="*", metavar="MODEL", help=f"of {', '.join(learners)}; default: all")
    parser.add_argument("--image", action="store_true", help="features of both modalities")
    parser.add_argument("--steps", type=int, default=5, help="steps of each run, whose median counts")
    parser.add_argument("--repeats", type=int, default=1, help="runs of each model, of which the quickest counts")
    parser.add_argument("--against", type=Path, metavar="FOLDER", help="another checkout of the project")
    parser.add_argument("--baby", type=Path, help="folder of the Baby split (default: ../shared/data/amazon-baby)")
    parser.add_argument("--out", type=Path, help="where to write JSON")
    parser.add_argument("--here", choices=learners, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.here:
        print(json.dumps(measure(arguments.here, arguments.image, arguments.steps, arguments.baby)))
        return
    sources = [HERE, *([arguments.against.resolve()] if arguments.against else [])]
    print(f"{'ms':<12}" + "".join(f"{part:>10}" for part in PARTS) + f"{'step':>10}{'build s':>9}{'peak MB':>9}"
          + (f"{'before':>11}{'ratio':>9}" if arguments.against else ""))  # fmt: skip
    table: dict[str, Any] = {}
    for name in arguments.models or learners:
        runs = [[apart(name, source, arguments) for source in sources] for _ in range(arguments.repeats)]
        of_sources = [best_of(list(column)) for column in zip(*runs, strict=True)]
        table[name] = dict(zip(("now", "before"), of_sources, strict=False))
        print(line(name, of_sources[0], of_sources[1] if arguments.against else None), flush=True)
    if arguments.out:
        write_json(arguments.out, table)


if __name__ == "__main__":
    main()
