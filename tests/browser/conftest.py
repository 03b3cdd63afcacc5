"""A real Chromium before real servers over one planted shop; whoever looks at a page is told all that went wrong on it.

Without Chromium or playwright these tests are skipped. The browser is one for each file and not for the session:
playwright keeps an event loop running for as long as it lives, in which other tests could not start theirs.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from browser.planted import Planted, plant
from browser.watch import Watch
from viral.apps.serve.security.tokens import add_token

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install -e '.[dev]'")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or ""
FLAGS = (
    "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
COMMAND = [sys.executable, "-c", "from viral.apps.cli import main; main()"]
START, PATIENCE = 120, 30_000  # seconds until a server answers; milliseconds for anything on a page


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    """The shop, its runs and its studies."""
    if not CHROMIUM:
        pytest.skip("there is no Chromium here: apt-get install chromium")
    return plant(tmp_path_factory.mktemp("planted"))


@contextmanager
def served(planted: Planted, log: Path, *words: str) -> Iterator[str]:
    """The address of a server, a process of its own."""
    experiments = [word for folder in planted.experiments for word in ("--experiments", str(folder))]
    command = [*COMMAND, "serve", str(planted.run), "--dataset", str(planted.dataset), *experiments]
    with log.open("w") as errors:
        server = subprocess.Popen(
            [*command, "--port", "0", "--rate", "10000", *words],
            stdout=subprocess.DEVNULL, stderr=errors, env=os.environ | {"OMP_NUM_THREADS": "1"},
        )  # fmt: skip
    try:
        yield _address(server, log)
    finally:
        server.terminate()
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _address(server: subprocess.Popen, log: Path) -> str:
    until = time.monotonic() + START
    while time.monotonic() < until and server.poll() is None:
        if found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text()):
            return found[0]  # the socket is bound: whoever connects now waits until the run is loaded
        time.sleep(0.1)
    raise AssertionError(f"the server did not start: {log.read_text()}")


@pytest.fixture(scope="session")
def site(planted: Planted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that asks for no token."""
    with served(planted, tmp_path_factory.mktemp("served") / "log") as address:
        yield address


@pytest.fixture(scope="session")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A file of tokens, and the token of each scope."""
    file = tmp_path_factory.mktemp("tokens") / "tokens"
    return file, {scope: add_token(file, f"a-{scope}-key", scope) for scope in ("read", "admin")}


@pytest.fixture(scope="session")
def locked(
    planted: Planted, tokens: tuple[Path, dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A server that answers tokens alone."""
    log = tmp_path_factory.mktemp("locked") / "log"
    with served(planted, log, "--tokens", str(tokens[0])) as address:
        yield address


@pytest.fixture(scope="module")
def chromium() -> Iterator[object]:
    """The browser."""
    if not CHROMIUM:
        pytest.skip("there is no Chromium here: apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS), timeout=120_000)
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium, planted: Planted) -> Iterator[Callable[..., Watch]]:
    """Opens a window of its own for a server; at the end nothing may have gone wrong in any of them."""
    watches: list[Watch] = []

    def open_window(base: str, *, width: int = 1280, **options: object) -> Watch:
        viewport = {"width": width, "height": 900}
        context = chromium.new_context(base_url=base, viewport=viewport, reduced_motion="reduce", **options)
        context.set_default_timeout(PATIENCE)
        watches.append(Watch(context.new_page()))
        watches[-1].expect(f"/pictures/{planted.lost}?")
        return watches[-1]

    yield open_window
    for watch in watches:
        watch.page.context.close()
    faults = [fault for watch in watches for fault in watch.faults]
    assert not faults, "\n".join(faults)


@pytest.fixture
def watch(opened: Callable[..., Watch], site: str) -> Watch:
    """A window before the open server."""
    return opened(site)
