"""`make fuzz`: generated inputs at every edge; each is read or refused in our words, soon, and with little memory."""

import random
import resource
import tempfile
import time
import traceback
from pathlib import Path

from hardening.edges import EDGES, Edge
from hardening.mutate import mutated

FULL, SHORT = 100_000, 2_000  # inputs
SLOW = 20.0  # seconds of processor time for one input
MEMORY = 1_500_000  # kilobytes that the whole may take


def fuzz(short: bool, seed: int, only: str | None = None) -> list[str]:
    """Returns what was wrong, a line for each kind of fault; the input is kept beside in ``fuzz-faults/``."""
    edges = [edge for edge in EDGES if only in (None, edge.name)]
    weights = sum(edge.weight for edge in edges)
    faults: dict[str, str] = {}
    for edge in edges:
        count = max(20, (SHORT if short else FULL) * edge.weight // weights)
        refused = _fuzzed(edge, count, seed, faults)
        print(f"{edge.name}: {count:,} inputs, {refused:,} refused", flush=True)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if used > MEMORY:
        faults["memory"] = f"{used / 1000:,.0f} MB were taken"
    return list(faults.values())


def _fuzzed(edge: Edge, count: int, seed: int, faults: dict[str, str]) -> int:
    """Give an edge so many inputs; returns how many it refused."""
    from viral.base.errors import ViralError

    draw, refused = random.Random(f"{seed} {edge.name}"), 0
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        folder = Path(name)
        read, seeds = edge.prepare(folder)
        for seed_ in seeds:
            try:
                read(seed_)
            except ViralError as error:
                _note(faults, edge, seed_, "its own example is refused", error)
        for _ in range(count):
            data, started = mutated(draw.choice(seeds), seeds, draw), time.process_time()
            try:
                read(data)
            except ViralError:
                refused += 1
            except Exception as error:
                where = traceback.extract_tb(error.__traceback__)[-1]
                _note(
                    faults,
                    edge,
                    data,
                    f"{type(error).__name__} at {where.filename.rpartition('/')[2]}:{where.lineno}",
                    error,
                )
            if time.process_time() - started > SLOW:
                _note(faults, edge, data, f"more than {SLOW:.0f} s", None)
    return refused


def _note(faults: dict[str, str], edge: Edge, data: bytes, kind: str, error: Exception | None) -> None:
    key = f"{edge.name}: {kind}"
    if key in faults:
        return
    folder = Path("fuzz-faults")
    folder.mkdir(exist_ok=True)
    kept = folder / f"{edge.name}-{len(faults)}"
    kept.write_bytes(data)
    faults[key] = f"{key}: {str(error)[:150]} ({kept})"
    print(f"  FAULT {faults[key]}", flush=True)
