"""`make attack`: unfriendly clients and a disk that is written over; a friend is answered all the while."""

import contextlib
import functools
import json
import os
import re
import signal
import socket
import struct
import subprocess
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from hardening.small_run import small_run
from hardening.world import VIRAL, environment

GROWTH = 1.5  # times the memory of the idle server
SOON = 5.0  # seconds within which a friend is answered


@dataclass(frozen=True, slots=True)
class Target:
    """A server under attack."""

    process: "subprocess.Popen[str]"
    port: int
    run: Path
    token: str

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def friend(self) -> float:
        """Seconds until a friend has an answer; raises where there is none."""
        started = time.monotonic()
        asked = {"user_id": "u1", "k": 3}
        answer = httpx.post(self.url("/v1/recommend"), json=asked, headers=self.headers, timeout=30)
        if answer.status_code != 200 or len(answer.json()["recommendations"]) != 3:
            raise RuntimeError(f"a friend is answered {answer.status_code}: {answer.text[:200]}")
        return time.monotonic() - started

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def memory(self) -> float:
        """Megabytes of the server and its workers."""
        return sum(_resident(pid) for pid in (self.process.pid, *self.workers())) / 1e6

    def workers(self) -> list[int]:
        """Process ids of the workers that serve."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(one) for one in children if b"spawn_main" in Path(f"/proc/{one}/cmdline").read_bytes()]


def _resident(pid: int) -> int:
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


@contextlib.contextmanager
def target(workers: int = 1) -> Iterator[Target]:
    """A server with tokens over a small run."""
    with tempfile.TemporaryDirectory() as name:
        run, tokens = small_run(Path(name) / "run"), Path(name) / "tokens"
        made = subprocess.run(
            [*VIRAL, "token", "friend", "--tokens", str(tokens), "--json"], capture_output=True, text=True, check=True
        )
        words = [*VIRAL, "serve", str(run), "--port", "0", "--tokens", str(tokens), "--workers", str(workers)]
        log = Path(name) / "log"
        with log.open("w") as told, subprocess.Popen(words, stderr=told, text=True, env=environment()) as process:
            try:
                _until(lambda: _port(log) > 0, 120)
                made_target = Target(process, _port(log), run, json.loads(made.stdout)["token"])
                _until(lambda: made_target.friend() < 60, 120)
                yield made_target
            finally:
                process.kill()


def _port(log: Path) -> int:
    """Where the server says that it listens; 0 while it says nothing."""
    found = re.search(r"http://127\.0\.0\.1:(\d+)", log.read_text())
    return int(found[1]) if found else 0


def _replaced(of: Target, before: set[int]) -> bool:
    now = set(of.workers())
    return len(now) == 2 and now != before


def _until(check: Callable[[], bool], seconds: float) -> float:
    """Seconds until the check holds; raises where that takes longer than it may."""
    started = time.monotonic()
    while time.monotonic() - started < seconds:
        with contextlib.suppress(httpx.HTTPError, RuntimeError, KeyError):
            if check():
                return time.monotonic() - started
        time.sleep(0.1)
    raise RuntimeError(f"not within {seconds:.0f} s")


def endless_head(of: Target) -> str:
    """60 MB of headers on one connection."""
    return _poured(of, b"GET / HTTP/1.1\r\nHost: a\r\n", b"X-Filler: " + b"a" * 8_000 + b"\r\n", 60_000_000)


def endless_header(of: Target) -> str:
    """One header that does not end."""
    return _poured(of, b"GET / HTTP/1.1\r\nHost: a\r\nX: ", b"a" * 64_000, 60_000_000)


def endless_url(of: Target) -> str:
    """A path that does not end."""
    return _poured(of, b"GET /", b"a" * 64_000, 60_000_000)


def endless_chunk(of: Target) -> str:
    """A chunked body that is all framing."""
    head = f"POST /v1/recommend HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {of.token}\r\n"
    return _poured(of, (head + "Transfer-Encoding: chunked\r\n\r\n1;").encode(), b"e" * 64_000, 60_000_000)


def unknown_body(of: Target) -> str:
    """9 MB from somebody without a token."""
    head = b"POST /v1/cold HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: 9000000\r\n\r\n"
    return _poured(of, head, b"a" * 64_000, 9_000_000)


def _poured(of: Target, head: bytes, piece: bytes, size: int) -> str:
    """Send and send; wrong where the server takes more than a few megabytes of it."""
    sent = 0
    with of.connect() as connection, contextlib.suppress(OSError):
        connection.sendall(head)
        while sent < size:
            connection.sendall(piece)
            sent += len(piece)
    return f"{sent / 1e6:.0f} MB were taken" if sent > 8_000_000 else ""


def half_requests(of: Target) -> str:
    """More half requests than the server may have files open."""
    with contextlib.ExitStack() as open_:
        for _ in range(1_100):
            with contextlib.suppress(OSError):
                half = open_.enter_context(of.connect())
                half.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n")
        waited = of.friend()
    return f"a friend waited {waited:.1f} s" if waited > SOON else ""


def slow_readers(of: Target) -> str:
    """Fifty clients that ask for much and read nothing."""
    with contextlib.ExitStack() as open_:
        for _ in range(50):
            slow = open_.enter_context(of.connect())
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            ask = f"GET /v1/openapi.json HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {of.token}\r\n\r\n"
            slow.sendall(ask.encode() * 20)
        waited = of.friend()
    return f"a friend waited {waited:.1f} s" if waited > SOON else ""


def many_chunks(of: Target) -> str:
    """A PNG of 700,000 empty chunks."""

    def chunk(kind: bytes, data: bytes = b"") -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    picture = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0))
    picture += chunk(b"tEXt") * 700_000 + chunk(b"IDAT", zlib.compress(bytes(8 * 25))) + chunk(b"IEND")
    before = _processor(of.process.pid)
    httpx.post(of.url("/v1/cold"), files={"picture": picture}, data={"title": "x"}, headers=of.headers, timeout=60)
    took = _processor(of.process.pid) - before
    return f"it cost {took:.1f} s of processor time" if took > 2 else ""


def _processor(pid: int) -> float:
    values = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(values[11]) + int(values[12])) / os.sysconf("SC_CLK_TCK")


def guessed_tokens(of: Target) -> str:
    """Wrong tokens from one place that claims to be many."""
    answers = []
    for n in range(60):
        headers = {"Authorization": "Bearer wrong", "X-Forwarded-For": f"10.0.0.{n}"}
        answers.append(httpx.get(of.url("/v1/items"), headers=headers, timeout=20).status_code)
    return "" if 429 in answers else "nobody was told to wait"


def written_over(of: Target) -> str:
    """The bundle's files written over in place."""
    before = _told(of)
    scorer = of.run / "bundle" / "scorer.safetensors"
    whole = scorer.read_bytes()
    try:
        with scorer.open("r+b") as file:
            file.write(b"\x00" * len(whole))
        time.sleep(2)
        if _told(of) != before:
            return "the answers changed"
        health = httpx.get(of.url("/v1/health"), headers=of.headers, timeout=20).json()
        return "" if "changed" in json.dumps(health) else f"nobody says so: {health}"
    finally:
        scorer.write_bytes(whole)


def _told(of: Target) -> list[tuple[str, float]]:
    asked = {"user_id": "u1", "k": 5}
    answer = httpx.post(of.url("/v1/recommend"), json=asked, headers=of.headers, timeout=20).json()
    return [(one["item_id"], one["score"]) for one in answer["recommendations"]]


def killed_worker(of: Target) -> str:
    """A worker killed while a damaged bundle lies on the disk; the other goes on, and a new one is there soon."""
    scorer = of.run / "bundle" / "scorer.safetensors"
    whole, before = scorer.read_bytes(), set(of.workers())
    try:
        for damaged in (False, True):
            if damaged:
                scorer.write_bytes(b"damage")
                time.sleep(1.5)
            os.kill(of.workers()[0], signal.SIGKILL)
            worst = max(of.friend() for _ in range(20))
            if worst > SOON:
                return f"a friend waited {worst:.1f} s"
            _until(functools.partial(_replaced, of, before), SOON)
            _until(lambda: all(of.friend() < SOON for _ in range(5)), 60)
            before = set(of.workers())
    finally:
        scorer.write_bytes(whole)
    return "" if of.process.poll() is None else "the server ended"


ALONE = (
    endless_head, endless_header, endless_url, endless_chunk, unknown_body, half_requests, slow_readers, many_chunks,
    guessed_tokens, written_over,
)  # fmt: skip


def attack(short: bool, only: str | None = None) -> list[str]:
    """Returns what was wrong, a line each."""
    faults: list[str] = []
    for workers, attacks in ((1, ALONE), (2, (killed_worker,))):
        chosen = [one for one in attacks if only in (None, one.__name__)]
        if not chosen:
            continue
        with target(workers) as of:
            idle = of.memory()
            for one in chosen:
                try:
                    told = one(of) or _after(of, idle)
                except Exception as error:
                    told = f"{type(error).__name__}: {str(error)[:200]}"
                print(f"{one.__name__}: {told or 'borne'}; {of.memory():.0f} MB ({idle:.0f} idle)", flush=True)
                faults += [f"{one.__name__}: {told}"] if told else []
    return faults


def _after(of: Target, idle: float) -> str:
    waited, memory = of.friend(), of.memory()
    if waited > SOON:
        return f"afterwards a friend waited {waited:.1f} s"
    return f"memory is {memory:.0f} MB, {memory / idle:.1f} times the idle one" if memory > GROWTH * idle else ""
