"""``python -m bench.serving``: recommendations by HTTP under load, from a second process, with reloads meanwhile.

A server of two workers over a generated bundle (of :mod:`bench.retrieval`) gets requests at fixed moments, whether or
not the earlier ones are answered; a latency counts from the moment at which its request was due, so that waiting for a
free connection is part of it. At a quarter and at half of the requests another bundle takes the place of the one that
is served. Prints one JSON document: latencies in milliseconds, errors, bundles that answered, and the workers' resident
memory at every tenth of the requests; growth is between six tenths and the end, after the last reload. Exit status 1
where a limit does not hold.
"""

import argparse
import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bench.retrieval import USERS, world
from viral.base.files import staged_folder

K = 20
P99_MS, GROWTH = 25.0, 0.03  # limits: milliseconds, and share of the resident memory
PAGE = os.sysconf("SC_PAGE_SIZE")
ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)")


@dataclass
class Load:
    """What the requests found."""

    milliseconds: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    bundles: Counter[str] = field(default_factory=Counter)
    megabytes: list[float] = field(default_factory=list)


class Connections:
    """Kept-open connections; as many as were ever needed at once."""

    def __init__(self, port: int) -> None:
        self.port, self.opened = port, 0
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def ask(self, body: bytes) -> tuple[int, bytes]:
        """Status and body of an answer."""
        while self._free and self._free[-1][0].at_eof():
            self._free.pop()[1].close()  # idle for so long that the server has ended it, as HTTP lets it
        if self._free:
            reader, writer = self._free.pop()
        else:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            self.opened += 1
        writer.write(
            b"POST /v1/recommend HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
        )
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        answer = await reader.readexactly(length)
        self._free.append((reader, writer))
        return int(head[9:12]), answer


async def drive(port: int, arguments: argparse.Namespace, workers: list[int], exchange: Iterator[None]) -> Load:
    """All requests, each at its moment."""
    load, connections, running = Load(), Connections(port), set()
    total, started = arguments.requests, time.perf_counter() + 0.1

    async def one(number: int, due: float) -> None:
        body = b'{"user_id": "u%d", "k": %d}' % (number % USERS, K)
        try:
            status, answer = await asyncio.wait_for(connections.ask(body), 30)
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            load.errors[type(error).__name__] += 1
            return
        load.milliseconds.append((time.perf_counter() - due) * 1000)
        if status == 200:
            load.bundles[json.loads(answer)["bundle"]] += 1
        else:
            load.errors[str(status)] += 1

    for number in range(total):
        due = started + number / arguments.rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        task = asyncio.create_task(one(number, due))
        running.add(task)
        task.add_done_callback(running.discard)
        if number in (total // 4, total // 2):
            await asyncio.to_thread(next, exchange)
        if number % (total // 10) == total // 10 - 1:
            load.megabytes.append(resident(workers))
    await asyncio.gather(*running)
    return load


def exchanging(run: Path, folders: list[Path]) -> Iterator[None]:
    """Put one folder after the other in the place of the run's bundle, in one step each."""
    for folder in folders:
        with staged_folder(run / "bundle", overwrite=True) as staging:
            for file in folder.iterdir():
                os.link(file, staging / file.name)
        yield


@contextmanager
def serving(run: Path, workers: int) -> Iterator[tuple[int, list[int]]]:
    """A server in processes of its own: its port, and the workers' process ids."""
    words = ["serve", str(run), "--port", "0", "--workers", str(workers), "--rate", "1000000"]
    command = [sys.executable, "-c", "from viral.apps.cli import main; main()", *words]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        assert server.stderr is not None
        port = next(int(match[1]) for line in server.stderr if (match := ADDRESS.search(line)))
        for _ in range(workers):
            next(line for line in server.stderr if "serving bundle" in line)
        yield port, workers_of(server.pid, workers)
    finally:
        server.send_signal(signal.SIGTERM)
        server.communicate()
    if server.returncode:
        raise SystemExit(f"the server ended with {server.returncode}")


def workers_of(parent: int, count: int) -> list[int]:
    """The processes that answer."""
    if count == 1:
        return [parent]
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    # The supervisor's other child keeps account of semaphores.
    return [int(pid) for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def resident(pids: list[int]) -> float:
    """Megabytes of memory of all processes."""
    return sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE for pid in pids) / 1e6


def report(load: Load, arguments: argparse.Namespace) -> dict[str, object]:
    """The document."""
    found = np.array(load.milliseconds)
    levels = {"p50": 50, "p90": 90, "p99": 99, "p99.9": 99.9, "max": 100}
    latency = {name: float(np.percentile(found, level)) for name, level in levels.items()}
    growth = load.megabytes[-1] / load.megabytes[5] - 1
    holds = {
        f"p99 under {P99_MS} ms": latency["p99"] < P99_MS,
        "no error": not load.errors,
        "reloaded twice": len(load.bundles) == 3,
        f"memory grows by less than {GROWTH:.0%}": growth < GROWTH,
    }
    asked = {name: getattr(arguments, name) for name in ("items", "dim", "workers", "rate", "requests")}
    return asked | {
        "milliseconds": latency,
        "errors": dict(load.errors),
        "answers by bundle": dict(load.bundles),
        "resident megabytes": load.megabytes,
        "growth": growth,
        "holds": holds,
    }


def main() -> None:
    """Measure once and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.serving", description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rate", type=float, default=200.0, help="requests a second")
    parser.add_argument("--requests", type=int, default=50_000)
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the server ends too
    with tempfile.TemporaryDirectory(prefix="viral-serving-") as name:
        folders = [Path(name) / f"bundle{seed}" for seed in range(3)]
        for seed, folder in enumerate(folders):
            world(arguments.items, arguments.dim, seed).save(folder)
        run = Path(name) / "run"
        run.mkdir()
        exchange = exchanging(run, folders)
        next(exchange)
        with serving(run, arguments.workers) as (port, workers):
            load = asyncio.run(drive(port, arguments, workers, exchange))
    told = report(load, arguments)
    print(json.dumps(told, indent=2))
    sys.exit(0 if all(told["holds"].values()) else 1)  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
