"""``python -m bench.viral``: a training step of VIRAL at Baby's size, ours and the authors', in turns in one run.

Ours is measured as the authors' branch ``redu2`` has it (width 384, every item contrasted with every item, float32) and
in the default configuration. With ``--public CHECKOUT`` (the authors' repository, branch ``redu2``) and ``--python``,
an interpreter with its requirements (torch_geometric, lmdb, pandas, PyYAML beside the same torch), theirs is run as it
is beside them. Random features of the published widths; batches of 2,048. Each runs in a process of its own, and only
one works at a time. Written down: medians of the clock and of processor time, epochs, ratios, and what a matrix product
reaches on this machine in float32 and in bfloat16.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench import worlds

CASES: dict[str, dict[str, Any]] = {"exact": {"variant": "redu2"}, "default": {}}
PUBLIC = "authors"
BATCH, WIDTH = 2048, 384
HERE = Path(__file__).parents[1]


def work(name: str, baby: Path | None) -> None:
    """One of ours: a step for every line read, its seconds printed."""
    import torch

    from viral.base.memory import keep_pages
    from viral.base.recipe import build
    from viral.data.inputs import ModelInputs
    from viral.data.sampling import TripletSampler
    from viral.models import VIRAL
    from viral.training import build_model

    keep_pages()  # as a training does
    _, parts, _ = worlds.load(argparse.Namespace(baby=baby))
    rng = torch.Generator().manual_seed(0)
    features = {m: torch.randn(parts.train.num_items, WIDTH, generator=rng) for m in ("text", "description")}
    config = build(VIRAL.Config, CASES[name], where="bench")
    model = build_model(VIRAL, ModelInputs(parts.train, features), config, 0).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4, fused=True)
    sampler = TripletSampler(parts.train)
    started = time.perf_counter(), time.process_time()
    while True:
        model.on_epoch_start(rng)
        for batch in sampler.epoch(BATCH, rng):
            terms = model.loss(batch)
            optimizer.zero_grad(set_to_none=True)
            torch.stack(list(terms.values())).sum().backward()
            optimizer.step()
            wall, cpu = time.perf_counter() - started[0], time.process_time() - started[1]
            print("@" + json.dumps({"wall": wall, "cpu": cpu}), flush=True)
            if not sys.stdin.readline().strip():
                return
            started = time.perf_counter(), time.process_time()


class Worker:
    """A process that takes a step when it is told to."""

    def __init__(self, command: list[str], cwd: Path) -> None:
        self.process = subprocess.Popen(
            command, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=sys.stderr, text=True
        )

    def answer(self) -> dict[str, float]:
        """Seconds of the step under way; raises ``SystemExit`` where the process has ended."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("@"):
                answer: dict[str, float] = json.loads(line[1:])
                return answer
        raise SystemExit(f"{self.process.args!r} ended by itself")

    def step(self) -> dict[str, float]:
        """Take one step and wait for it."""
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return self.answer()

    def end(self) -> None:
        """An empty line ends the work."""
        self.process.communicate("\n")


def public_folder(checkout: Path, baby: Path, folder: Path) -> Path:
    """The authors' code beside the data it asks for; their list of neighbours is an object array, so it is pickled."""
    import numpy as np

    from viral import graph

    _, parts, _ = worlds.load(argparse.Namespace(baby=baby))
    shutil.copytree(checkout / "src", folder / "src")
    data = folder / "data" / "baby"
    data.mkdir(parents=True)
    shutil.copy(baby / "baby.inter", data)
    rng = np.random.default_rng(0)
    for name in ("en_image_feat", "text_feat-v1"):
        np.save(data / f"{name}.npy", rng.standard_normal((parts.train.num_items, WIDTH), dtype=np.float32))
    near = graph.user_neighbors(parts.train, 200)
    rows = zip(near.indices.tolist(), near.counts.tolist(), near.sizes.tolist(), strict=True)
    lists = {user: [indices[:size], counts[:size]] for user, (indices, counts, size) in enumerate(rows)}
    np.save(data / "user_graph_dict.npy", np.array(lists, dtype=object), allow_pickle=True)
    return folder


def products() -> dict[str, Any]:
    """Matrix products of this machine in 10⁹ operations a second, and whether it has kernels for bfloat16."""
    import torch

    from bench.timing import medians

    rates: dict[str, Any] = {"bf16_kernels": bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())}
    for label, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        a, b = (torch.randn(512, WIDTH).to(dtype) for _ in range(2))
        columns = b.T.contiguous()
        forms = {"a bᵀ": lambda a=a, b=b: a @ b.T, "a b": lambda a=a, columns=columns: a @ columns}
        for form, seconds in medians(forms, repeats=5, warmup=1).items():
            rates[f"{label}, {form}"] = 2 * 512 * 512 * WIDTH / seconds / 1e9
    return rates


def take_turns(workers: dict[str, Worker], steps: int) -> dict[str, dict[str, float]]:
    """Median seconds of a step of each; the first one meets fresh memory and does not count."""
    seconds: dict[str, list[dict[str, float]]] = {name: [] for name in workers}
    for _ in range(steps):
        for name, worker in workers.items():
            seconds[name].append(worker.step())
    kinds = ("wall", "cpu")
    return {name: {k: statistics.median(one[k] for one in taken) for k in kinds} for name, taken in seconds.items()}


def main() -> None:
    """Measure in turns, print a table, write JSON."""
    from viral.base.files import write_json
    from viral.base.provenance import commit

    parser = argparse.ArgumentParser(prog="python -m bench.viral", description=__doc__)
    parser.add_argument("--public", type=Path, help="checkout of the authors' repository, branch redu2")
    parser.add_argument("--python", default=sys.executable, help="the interpreter that runs it")
    parser.add_argument("--steps", type=int, default=5, help="counted steps of each")
    parser.add_argument("--baby", type=Path, default=worlds.BABY, help="folder of the Baby split")
    parser.add_argument("--out", type=Path, help="default: bench/results/viral-COMMIT.json")
    parser.add_argument("--here", choices=CASES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.here:
        work(arguments.here, arguments.baby)
        return
    result: dict[str, Any] = {
        "commit": commit(),
        "threads": os.environ.get("OMP_NUM_THREADS"),
        "steps": arguments.steps,
    }
    result["gflops"] = products()
    with tempfile.TemporaryDirectory(prefix="viral-bench-") as folder:
        ours = [sys.executable, "-m", "bench.viral", "--baby", str(arguments.baby), "--here"]
        commands = {name: ([*ours, name], HERE) for name in CASES}
        if arguments.public:
            place = public_folder(arguments.public, arguments.baby, Path(folder) / "public")
            commands[PUBLIC] = ([arguments.python, str(HERE / "bench" / "public_viral.py")], place)
        workers: dict[str, Worker] = {}
        for name, (command, cwd) in commands.items():  # built one after another: only one works at a time
            workers[name] = Worker(command, cwd)
            workers[name].answer()
        result["step_seconds"] = take_turns(workers, arguments.steps)
        for worker in workers.values():
            worker.end()
    report(result)
    write_json(arguments.out or HERE / "bench" / "results" / f"viral-{result['commit']}.json", result)


def report(result: dict[str, Any]) -> None:
    """Epochs of 58 steps, ratios to the authors' code where it ran, and the table."""
    steps = result["step_seconds"]
    result["epoch_seconds"] = {name: 58 * one["wall"] for name, one in steps.items()}
    if PUBLIC in steps:
        result["times_faster"] = {
            name: {kind: steps[PUBLIC][kind] / one[kind] for kind in one} for name, one in steps.items()
        }
    for name, one in steps.items():
        ratios = result.get("times_faster", {}).get(name, {})
        cells = "".join(f"{value:8.1f}×" for value in ratios.values())
        print(
            f"{name:<10}{one['wall']:9.3f} s{one['cpu']:9.3f} s of processor{58 * one['wall']:9.1f} s an epoch{cells}"
        )
    print(json.dumps(result["gflops"], ensure_ascii=False))


if __name__ == "__main__":
    main()
