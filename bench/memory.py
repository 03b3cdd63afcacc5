"""``python -m bench.memory``: the most memory that training VIRAL takes, at the sizes of the published data sets.

Each case runs in a process of its own: generated interactions and random features of the real numbers of users, items
and dimensions; the model is built, two steps of 2048 triplets with Adam are taken. Random numbers take the memory
of real ones. The variant is ``redu2``, the dearest, unless ``--set`` says otherwise. Prints one JSON document: peak
resident bytes, the peak before the first step, seconds a step.
"""

import argparse
import json
import subprocess
import sys
import time

from bench.worlds import generated

CASES = {  # users, items, interactions, gigabytes that must suffice
    "baby": (19_445, 7_050, 160_792, 8),
    "sports": (35_598, 18_357, 296_337, 12),
    "clothing": (39_387, 23_033, 278_677, 12),
}
DEFAULT = ("baby", "clothing")
STEPS, BATCH, WIDTH = 2, 2048, 384  # the second step meets the optimiser's own tables


def measure(name: str, settings: dict[str, object]) -> dict[str, object]:
    """Build VIRAL, take the steps, and tell the peaks of this process."""
    import torch

    from viral.base.memory import peak_memory_bytes
    from viral.base.recipe import build
    from viral.data.inputs import ModelInputs
    from viral.data.sampling import TripletSampler
    from viral.models import VIRAL
    from viral.training import build_model

    users, items, interactions, limit = CASES[name]
    train = generated(users, items, interactions).train
    rng = torch.Generator().manual_seed(0)
    features = {m: torch.randn(items, WIDTH, generator=rng) for m in ("text", "description")}
    config = build(VIRAL.Config, settings, where="--set")
    model = build_model(VIRAL, ModelInputs(train, features), config, 0).train()
    built = peak_memory_bytes()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4, fused=True)
    model.on_epoch_start(rng)
    seconds, losses = [], {}
    for _, batch in zip(range(STEPS), TripletSampler(train).epoch(BATCH, rng), strict=False):
        started = time.perf_counter()
        terms = model.loss(batch)
        optimizer.zero_grad(set_to_none=True)
        torch.stack(list(terms.values())).sum().backward()
        optimizer.step()
        seconds.append(time.perf_counter() - started)
        losses = {term: value.item() for term, value in terms.items()}
    peak = peak_memory_bytes()
    return {
        "case": name,
        "users": users,
        "items": items,
        "train_interactions": len(train),
        "width": WIDTH,
        "settings": settings,
        "threads": torch.get_num_threads(),
        "peak_bytes": peak,
        "peak_bytes_when_built": built,
        "limit_bytes": limit * 10**9,
        "within_limit": peak <= limit * 10**9,
        "step_seconds": seconds,
        "losses": losses,
    }


def main() -> None:
    """Measure each case in a process of its own."""
    parser = argparse.ArgumentParser(prog="python -m bench.memory", description=__doc__)
    parser.add_argument("--cases", nargs="+", choices=CASES, default=DEFAULT)
    default = {"variant": "redu2"}
    parser.add_argument("--set", type=json.loads, default=default, metavar="JSON", help="fields of VIRAL's config")
    parser.add_argument("--here", choices=CASES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.here:
        print(json.dumps(measure(arguments.here, arguments.set)))
        return
    results = []
    for case in arguments.cases:
        command = [sys.executable, "-m", "bench.memory", "--here", case, "--set", json.dumps(arguments.set)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        results.append(json.loads(done.stdout))
    print(json.dumps({"model": "viral", "results": results}, indent=2))
    sys.exit(0 if all(result["within_limit"] for result in results) else 1)


if __name__ == "__main__":
    main()
