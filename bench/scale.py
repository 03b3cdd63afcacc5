"""``python -m bench.scale``: a planted shop of any size from its tables to an evaluation, stage by stage.

Each stage runs in a process of its own, which tells its seconds and its peak of resident memory; what is finished is
kept in ``--work`` and not done again. With ``--sizes 1,4,16,64`` the shop of the given size is 64 times the smallest,
and the growth of each stage's time and memory with the interactions is fitted (least squares on logarithms). An epoch
has the same number of steps at every size: every step propagates over the whole graph, so with batches of one size an
epoch would grow with the square. Growth is that of processor time, which other work on the machine does not touch, and
of memory above that of the started process; peaks are whole.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from bench.growth import exponents

MADE = ("shop", "features")  # what others would bring along
STAGES = ("shop", "import", "features", "user graph", "item graph", "lightgcn", "viral", "evaluate")
LIMIT_BYTES, LIMIT_GROWTH = 16 * 10**9, 1.15
STEPS, RANKED = 58, 20_000  # steps of an epoch, as on Baby in batches of 2048; users ranked for


def apart(stage: str, folder: Path, arguments: argparse.Namespace, size: int) -> dict[str, Any]:
    """A stage in a process of its own, or what it left when it was done before."""
    kept = folder / f"{stage.replace(' ', '-')}.json"
    if kept.is_file():
        result: dict[str, Any] = json.loads(kept.read_text())
        return result
    share = size / max(arguments.sizes)
    command = [sys.executable, "-m", "bench.scale_stages", stage, str(folder)]
    for name, least in (("users", 100), ("items", 50), ("interactions", 1000)):
        command += [f"--{name}", str(max(least, round(getattr(arguments, name) * share)))]
    command += ["--epochs", str(arguments.epochs), "--ranked", str(RANKED), "--steps", str(STEPS)]
    started = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    result = json.loads(done.stdout.splitlines()[-1]) | {"wall_seconds": time.perf_counter() - started}
    kept.write_text(json.dumps(result))
    return result


def main() -> None:
    """Run what is missing, print a row for each stage, and write ``bench/results/scale-COMMIT.json``."""
    from viral.base.files import write_json
    from viral.base.provenance import commit

    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--users", type=int, default=200_000)
    parser.add_argument("--items", type=int, default=50_000)
    parser.add_argument("--interactions", type=int, default=5_000_000)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--sizes", type=lambda text: [int(word) for word in text.split(",")], default=[64])
    parser.add_argument("--stages", type=lambda text: text.split(","), default=list(STAGES))
    parser.add_argument("--work", type=Path, default=Path(gettempdir()) / "viral-scale", help="kept between runs")
    parser.add_argument("--out", type=Path, help="default: bench/results/scale-COMMIT.json")
    arguments = parser.parse_args()
    name = commit()
    out = arguments.out or Path(__file__).parent / "results" / f"scale-{name}.json"
    about = {key: getattr(arguments, key) for key in ("users", "items", "interactions", "epochs", "sizes")}
    found: dict[str, dict[str, Any]] = {}
    print(f"{'size':>5} {'stage':<12}{'seconds':>9}{'peak GB':>9}")
    for size in arguments.sizes:
        folder = arguments.work / "-".join([name, *map(str, list(about.values())[:4])]) / f"x{size}"
        folder.mkdir(parents=True, exist_ok=True)
        for stage in arguments.stages:
            result = apart(stage, folder, arguments, size)
            found.setdefault(stage, {})[str(size)] = result
            print(f"×{size:<4} {stage:<12}{result['seconds']:>9.1f}{result['peak_bytes'] / 1e9:>9.2f}", flush=True)
            write_json(out, {"commit": name, **about, "stages": found, "growth": growth(found)})
    for stage, exponent in growth(found).items():
        print(f"growth {stage:<12} time {exponent['processor_seconds']:.2f}, memory {exponent['extra_bytes']:.2f}")
    peak = max(result["peak_bytes"] for sizes in found.values() for result in sizes.values())
    print(f"highest peak {peak / 1e9:.2f} GB of {LIMIT_BYTES / 1e9:.0f}; written to {out}")
    together = growth(found).get("all", {})
    sys.exit(0 if peak <= LIMIT_BYTES and all(value <= LIMIT_GROWTH for value in together.values()) else 1)


def growth(found: dict[str, dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Exponents by stage, and of the sum from import to evaluation, where there are several sizes."""
    several = {stage: list(sizes.values()) for stage, sizes in found.items() if len(sizes) > 1}
    keys = ("interactions", "processor_seconds", "extra_bytes")
    table = {stage: exponents([{key: row[key] for key in keys} for row in rows]) for stage, rows in several.items()}
    pipeline = [rows for stage, rows in several.items() if stage not in MADE]
    if len({len(rows) for rows in pipeline}) == 1:
        together = [
            {
                "interactions": rows[0]["interactions"],
                "processor_seconds": sum(row["processor_seconds"] for row in rows),
                "extra_bytes": max(row["extra_bytes"] for row in rows),
            }
            for rows in zip(*pipeline, strict=True)
        ]
        table["all"] = exponents(together)
    return table


if __name__ == "__main__":
    main()
