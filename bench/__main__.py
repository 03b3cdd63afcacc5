"""``python -m bench``: speed against this machine's limits, measured part by part, each in a process of its own.

A part that is finished is written at once to ``bench/results/COMMIT.json``; the same command goes on with what is
missing. ``python -m bench compare A.json B.json`` prints two commits side by side, each over the limits of its own run.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench import report

ALONE = (
    "large-sparse",
    "projection",
    "encoding",
    "bundle",
    "recommendation",
    "many-items",
    "neighbours",
)  # they bring their own inputs
PARTS = ("sparse", "ranking", "graphs", "epochs", *ALONE, "sizes")
RESULTS = Path(__file__).parent / "results"
HERE = Path(__file__).parents[1]


def measure(part: str, baby: Path | None) -> dict[str, Any]:
    """One part in this process: seconds by title and candidate, the limits, the peak of memory."""
    from bench import epochs, measures, neighbours, sizes, using, worlds
    from bench.limits import limits
    from viral.base.memory import peak_memory_bytes

    before = peak_memory_bytes()
    name, _, detail = part.partition(":")
    rows: measures.Rows
    if name == "epochs":
        rows = {f"epoch of {detail}": epochs.epoch(detail, baby)}
    elif name == "sizes":
        rows = {f"size ×{detail}": sizes.measure(int(detail))}
    elif name in ("sparse", "ranking", "graphs"):
        parts = worlds.load(argparse.Namespace(baby=baby))[1]
        rows = {"sparse": measures.sparse_product, "ranking": measures.ranking, "graphs": measures.graphs}[name](parts)
    else:
        use = (
            measures.large_product,
            measures.projecting,
            using.encoding,
            using.bundle,
            using.recommendation,
            measures.many_items,
            neighbours.measure,
        )
        rows = dict(zip(ALONE, use, strict=True))[name]()
    peak = peak_memory_bytes()
    return {"seconds": rows, "limits": limits(), "peak_bytes": peak, "extra_bytes": peak - before}


def wanted(only: list[str], sizes: list[int], models: list[str] | None) -> list[str]:
    """The parts by name, of epochs one a model and of sizes one a size."""
    from viral.models import MODELS

    named: list[str] = []
    for part in only:
        details = {"epochs": models or list(MODELS), "sizes": [str(size) for size in sizes]}.get(part)
        named += [part] if details is None else [f"{part}:{detail}" for detail in details]
    return named


def apart(part: str, baby: Path | None) -> dict[str, Any]:
    """``measure`` in a process of its own."""
    command = [sys.executable, "-m", "bench", "--here", part, *(["--baby", str(baby)] if baby else [])]
    done = subprocess.run(command, cwd=HERE, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def run(arguments: argparse.Namespace) -> None:
    """Measure what is missing, write it at once, and print and keep the table."""
    import torch

    from bench.worlds import BABY
    from viral.base.files import read_json, write_json
    from viral.base.provenance import commit

    name = commit()
    out = arguments.out or RESULTS / f"{name}.json"
    result: dict[str, Any] = read_json(out) if out.is_file() else {"commit": name, "parts": {}}
    result |= {
        "data": "amazon-baby" if (arguments.baby or BABY).is_dir() else "generated, Baby's size",
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
    }
    for part in wanted(arguments.only, arguments.sizes, arguments.models):
        if part in result["parts"] and not arguments.again:
            continue
        started, load = time.perf_counter(), os.getloadavg()[0]
        result["parts"][part] = apart(part, arguments.baby) | {"load_before": load}
        write_json(out, result)
        print(f"{part}: {time.perf_counter() - started:.1f} s", file=sys.stderr, flush=True)
    text = report.table(result)
    print(text)
    if out.parent == RESULTS:
        (RESULTS / "README.md").write_text(text, encoding="utf-8")


def main() -> None:
    """``compare``, one part in this process, or everything."""
    if sys.argv[1:2] == ["compare"]:
        parser = argparse.ArgumentParser(prog="python -m bench compare")
        parser.add_argument("files", nargs=2, type=Path)
        results = [json.loads(file.read_text()) for file in parser.parse_args(sys.argv[2:]).files]
        if not all("parts" in result for result in results):
            parser.error("a file that `python -m bench` did not write, or an older form of it")
        print(report.compared(*results))
        return
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(PARTS), help=", ".join(PARTS))
    parser.add_argument("--sizes", type=lambda text: [int(word) for word in text.split(",")], default=[1, 4, 16, 64])
    parser.add_argument("--models", type=lambda text: text.split(","), help="whose epochs; default: all")
    parser.add_argument("--baby", type=Path, help="folder of the Baby split (default: ../shared/data/amazon-baby)")
    parser.add_argument("--again", action="store_true", help="measure anew what is there")
    parser.add_argument("--out", type=Path, help="default: bench/results/COMMIT.json")
    parser.add_argument("--here", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if unknown := set(arguments.only) - set(PARTS):
        parser.error(f"--only {', '.join(sorted(unknown))}: not one of {', '.join(PARTS)}")
    if arguments.here:
        print(json.dumps(measure(arguments.here, arguments.baby)))
    else:
        run(arguments)


if __name__ == "__main__":
    main()
