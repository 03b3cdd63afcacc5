"""``python -m bench.peers --public CHECKOUT``: an epoch as its user waits for it, ours and the public implementation's.

CHECKOUT is a copy of the public implementation (github: enoche/MMRec), which is run as it is, by ``--python`` where its
requirements are installed elsewhere (torch, torch_geometric, pandas, lmdb, PyYAML, matplotlib, pillow). Ours is an
epoch of training and the validation after it; theirs is an epoch of training and the ranking of validation and test
that it does after each. Both run in processes of their own on the same
split, features (random numbers of the published widths: times do not depend on their values) and settings; they take
turns epoch by epoch, the first of each not counted, and one clock times both from the word "go" to the answer. Beside
them stands what the dense products of our epoch take alone (``bench.products``), and the time that the aim asks for.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parents[1]
WIDTHS = {"image": 4096, "text": 384}
BATCH = 2048
EVER = 1_000_000  # epochs: the processes are ended from outside
CASES: dict[str, tuple[str, dict[str, Any], dict[str, Any], float]] = {  # theirs, settings, ours, the ratio aimed at
    "bpr": ("BPR", {"reg_weight": [1e-2]}, {}, 8),
    **{
        f"lightgcn-{n}": ("LightGCN", {"n_layers": [n], "reg_weight": [1e-4]}, {"num_layers": n}, 12) for n in (2, 3, 4)
    },
    **{  # by default ours takes the features as they are; theirs learns them too
        name: ("FREEDOM", {"dropout": [0.8], "reg_weight": [1e-4]}, config, 10)
        for name, config in (("freedom", {}), ("freedom-learnt-features", {"train_features": True}))
    },
    "mgcn": ("MGCN", {"cl_loss": [0.01]}, {}, 8),
    "dragon": ("DRAGON", {"aggr_mode": ["add"], "reg_weight": [1e-3], "learning_rate": [1e-4]}, {}, 15),
}
PUBLIC = HERE / "bench" / "public_models.py"


class Runner:
    """A process that trains one epoch each time it is told to."""

    def __init__(self, command: list[str], folder: Path, environment: dict[str, str]) -> None:
        self.log = folder / "log.txt"
        self.process = subprocess.Popen(
            command, cwd=folder, env=os.environ | environment, text=True, stdin=subprocess.PIPE,
            stdout=self.log.open("w"), stderr=subprocess.PIPE,
        )  # fmt: skip
        self.messages: list[str] = []
        self._wait()

    def epoch(self) -> float:
        """Seconds from the word to the answer."""
        assert self.process.stdin is not None
        started = time.perf_counter()
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        self._wait()
        return time.perf_counter() - started

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()

    def _wait(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if line.rstrip().endswith("READY"):  # progress may stand before it
                return
            self.messages.append(line)
        raise SystemExit(f"{' '.join(self.process.args[:3])} ended:\n{''.join(self.messages[-30:])}")  # type: ignore


def ours(name: str, world: Path, *, products: bool) -> None:
    """Train the model of one case, or print the bound of its products; called in a process of its own."""
    import torch

    from bench import worlds
    from bench.products import bound
    from viral.base.recipe import TrainConfig, build
    from viral.data.inputs import ModelInputs
    from viral.data.sampling import TripletSampler
    from viral.models import MODELS
    from viral.training import EpochRecord, build_model, fit

    _, parts, _ = worlds.load(argparse.Namespace(baby=world / "baby"))
    features = {m: torch.from_numpy(np.load(world / "baby" / f"{m}_feat.npy")) for m in WIDTHS}
    model = MODELS[name.partition("-")[0]]
    config = build(model.Config, CASES[name][2], where="bench")

    def gate(_: EpochRecord | None) -> None:
        print("READY", file=sys.stderr, flush=True)
        if not sys.stdin.readline():  # nobody is there to say "go" any more
            sys.exit()

    built: Any = build_model(model, ModelInputs(parts.train, features), config, 0)
    if products:
        rng = torch.Generator().manual_seed(0)
        built.train().on_epoch_start(rng)
        batches = list(TripletSampler(parts.train).epoch(BATCH, rng))
        print(json.dumps(bound(built, batches[0], len(batches))))
        return
    gate(None)
    fit(built, parts, TrainConfig(max_epochs=EVER, patience=EVER, batch_size=BATCH), on_epoch=gate)


def compare(name: str, arguments: argparse.Namespace, world: Path) -> dict[str, Any]:
    """Both sides of one case, in turns."""
    theirs, settings, _, aim = CASES[name]
    folders = {side: world / f"{name}-{side}" for side in ("ours", "public")}
    for folder in folders.values():
        folder.mkdir()
    source = arguments.public.resolve() / "src"
    (folders["public"] / "configs").symlink_to(source / "configs")
    settings = settings | {
        "data_path": f"{world}/", "use_gpu": False, "gpu_id": 0, "epochs": EVER, "stopping_step": EVER, "seed": [999],
    }  # fmt: skip
    here = [sys.executable, "-m", "bench.peers", "--here", name, "--world", str(world)]
    path = {"PYTHONPATH": f"{HERE}:{HERE / 'src'}"}
    counted = subprocess.run([*here, "--products"], env=os.environ | path, stdout=subprocess.PIPE, check=True)
    there = [arguments.python, str(PUBLIC), str(source), theirs, json.dumps(settings)]
    sides = {
        "ours": Runner(here, folders["ours"], path),
        "public": Runner(there, folders["public"], {}),
    }
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    try:
        for turn in range(arguments.epochs + 1):
            for side, runner in sides.items():
                took = runner.epoch()
                if turn:  # the first one meets fresh memory
                    seconds[side].append(took)
    finally:
        for runner in sides.values():
            runner.close()
    medians = {side: statistics.median(values) for side, values in seconds.items()}
    ratio, asked = medians["public"] / medians["ours"], medians["public"] / aim
    told = {"ratio": ratio, "aim": aim, "asked_seconds": asked, "products": json.loads(counted.stdout)}
    return {"seconds": seconds, "median": medians} | told


def prepare(baby: Path, folder: Path) -> None:
    """The folder that both read: the split, random features, and the users' graph in the public layout."""
    import torch

    from bench import worlds
    from viral.graph import user_neighbors

    target = folder / "baby"
    target.mkdir()
    for file in baby.iterdir():
        (target / file.name).symlink_to(file.resolve())
    _, parts, _ = worlds.load(argparse.Namespace(baby=baby))
    rng = torch.Generator().manual_seed(0)
    for modality, width in WIDTHS.items():
        values = torch.randn(parts.train.num_items, width, generator=rng).numpy()
        np.save(target / f"{modality}_feat.npy", values)
    found = user_neighbors(parts.train, 200)
    rows = zip(found.indices.tolist(), found.counts.tolist(), found.sizes.tolist(), strict=True)
    lists = {user: [indices[:size], counts[:size]] for user, (indices, counts, size) in enumerate(rows)}
    np.save(target / "user_graph_dict.npy", np.array(lists, dtype=object))  # theirs is a pickle; ours never reads it


def main() -> None:
    """Compare case by case, print each row as it comes, and write all as JSON."""
    from bench.worlds import BABY
    from viral.base.files import write_json
    from viral.base.provenance import commit

    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    parser.add_argument("--public", type=Path, metavar="CHECKOUT", help="a copy of the public implementation")
    parser.add_argument("--python", default=sys.executable, help="the interpreter that has its requirements")
    parser.add_argument("--models", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--epochs", type=int, default=5, help="that count, on either side")
    parser.add_argument("--baby", type=Path, default=BABY, help="folder of the Baby split")
    parser.add_argument("--out", type=Path, help="default: bench/results/peers-COMMIT.json")
    parser.add_argument("--here", choices=CASES, help=argparse.SUPPRESS)
    parser.add_argument("--world", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--products", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.here:
        ours(arguments.here, arguments.world, products=arguments.products)
        return
    if arguments.public is None or not (arguments.public / "src" / "main.py").is_file():
        parser.error("--public must name a checkout of the public implementation")
    out = arguments.out or HERE / "bench" / "results" / f"peers-{commit()}.json"
    table: dict[str, Any] = {}
    print(f"{'seconds an epoch':<24}{'ours':>9}{'public':>9}{'ratio':>9}{'aim':>6}{'asked':>9}{'products':>10}")
    with tempfile.TemporaryDirectory(prefix="viral-peers-") as folder:
        prepare(arguments.baby, Path(folder))
        for name in arguments.models:
            row = table[name] = compare(name, arguments, Path(folder))
            times = "".join(f"{row['median'][side]:>9.3f}" for side in ("ours", "public"))
            bounds = f"{row['asked_seconds']:>9.3f}{row['products']['seconds']:>10.3f}"
            print(f"{name:<24}{times}{row['ratio']:>8.1f}×{row['aim']:>5}×{bounds}", flush=True)
            threads, load = os.environ.get("OMP_NUM_THREADS"), os.getloadavg()
            write_json(out, {"commit": commit(), "threads": threads, "load": load, "models": table})


if __name__ == "__main__":
    main()
