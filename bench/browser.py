"""A Chromium before a server of its own, for the commands that look at the pages as people do."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--use-angle=swiftshader", "--enable-unsafe-swiftshader",  # WebGL without a graphics card
    "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--force-color-profile=srgb",
)  # fmt: skip
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")
START = 180.0  # seconds until a server answers


@contextmanager
def browser() -> Iterator[Any]:
    """Playwright's browser; ends the program in words where there is none."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        raise SystemExit(f"there is no browser here ({', '.join(NAMES)}): apt-get install chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise SystemExit("playwright is not installed: pip install -e '.[dev]'") from None
    root = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium refuses its sandbox to root
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=[*FLAGS, *root])
        try:
            yield started
        finally:
            started.close()


@contextmanager
def served(run: Path, *words: str | Path) -> Iterator[str]:
    """The address of ``viral serve RUN WORDS``, a process of its own that answers."""
    command = [sys.executable, "-c", "from viral.apps.cli import main; main()", "serve", str(run), *map(str, words)]
    with tempfile.TemporaryFile("w+") as log:
        server = subprocess.Popen([*command, "--port", "0", "--rate", "10000"], stdout=log, stderr=log)
        try:
            yield _address(server, log.fileno())
        finally:
            server.terminate()
            try:
                server.wait(60)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _address(server: "subprocess.Popen[bytes]", log: int) -> str:
    until = time.monotonic() + START
    while time.monotonic() < until:
        said = os.pread(log, 100_000, 0).decode(errors="replace")
        if server.poll() is not None:
            raise SystemExit(f"the server ended:\n{said}")
        if found := ADDRESS.search(said):
            try:
                with urllib.request.urlopen(f"{found[0]}/healthz", timeout=5):
                    return found[0]
            except OSError:
                pass  # the port is there before anybody answers
        time.sleep(0.1)
    raise SystemExit(f"the server does not answer after {START:.0f} seconds")


def options(dataset: Path | None, experiments: Sequence[Path]) -> list[str | Path]:
    """The words of the command line that name these folders."""
    words: list[str | Path] = [] if dataset is None else ["--dataset", dataset]
    return [*words, *(word for folder in experiments for word in ("--experiments", folder))]
