"""Two runs on one ledger: no picture is paid for twice, and what a killed run had claimed is taken over."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from describers import LoggingDescriber, draw
from viral.base.locks import may_live, this_process
from viral.data.catalog import Catalog, Item
from viral.enrich import Ledger, enrich, load_prompt
from viral.enrich.ledger_claims import LEASE, Claims

PLAIN = load_prompt("plain")
RUN = """
import sys
from pathlib import Path
from describers import LoggingDescriber
from test_ledger_claims import PLAIN, catalog
from viral.enrich import Ledger, enrich
folder, seconds = Path(sys.argv[1]), float(sys.argv[2])
with Ledger(folder / "ledger.sqlite") as ledger:
    describer = LoggingDescriber(folder / "log", batch_size=2, in_flight=2, seconds=seconds)
    found = enrich(catalog(folder), describer, PLAIN, ledger)
print(found.counts["done"])
"""


def catalog(folder: Path, count: int = 24) -> Catalog:
    return Catalog(
        tuple(Item(f"i{n:02}", f"thing {n}", "", folder / "pictures" / f"{n // 2}.png") for n in range(count))
    )  # two items with each picture: one request


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for n in range(12):
        draw(tmp_path / "pictures" / f"{n}.png", n)
    return tmp_path


def start(folder: Path, seconds: float) -> "subprocess.Popen[str]":
    path = os.pathsep.join(
        [str(Path(__file__).parent), str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
    )
    command = [sys.executable, "-c", RUN, str(folder), str(seconds)]
    return subprocess.Popen(command, env=os.environ | {"PYTHONPATH": path}, stdout=subprocess.PIPE, text=True)


def asked(folder: Path) -> list[str]:
    return sorted((folder / "log").read_text().split())


def test_two_runs_at_once_ask_for_each_picture_once(folder: Path) -> None:
    both = [start(folder, 0.3), start(folder, 0.3)]
    assert [run.communicate(timeout=120)[0].strip() for run in both] == ["24", "24"]
    assert len(asked(folder)) == 12 and len(set(asked(folder))) == 12


def test_what_a_killed_run_had_claimed_is_asked_again_at_once(folder: Path) -> None:
    killed = start(folder, 30.0)
    deadline = time.monotonic() + 60
    while not (folder / "log").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    started = time.monotonic()
    with Ledger(folder / "ledger.sqlite") as ledger:
        found = enrich(catalog(folder), LoggingDescriber(folder / "log"), PLAIN, ledger)
    assert found.counts["done"] == 24 and time.monotonic() - started < LEASE / 2


def test_a_claim_ends_with_the_answer_the_run_or_its_lease(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Ledger(folder / "ledger.sqlite") as ledger:
        mine, other = Claims(ledger), Claims(ledger)
        with mine.kept():
            assert mine.take([b"a", b"b"]) == {b"a", b"b"} == mine.take([b"a", b"b"])
            assert other.take([b"a", b"c"]) == {b"c"}
            now = time.time()
            monkeypatch.setattr(time, "time", lambda: now + LEASE + 1)
            assert other.take([b"b"]) == {b"b"}, "the lease ran out"
            monkeypatch.setattr(time, "time", lambda: now - 10 * LEASE)
            assert other.take([b"a"]) == {b"a"}, "the clock was set back"
            monkeypatch.undo()
            assert other.take([b"e"]) == {b"e"} and mine.take([b"e"]) == set()
        assert mine.take([b"d"]) == {b"d"}


def test_processes_that_are_gone_are_known() -> None:
    assert may_live(this_process()) and may_live("elsewhere/1/2")
    host, pid, started = this_process().split("/")
    assert not may_live(f"{host}/{pid}/{started}1"), "another process has the number now"
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert not may_live(f"{host}/{gone.pid}/1") and not may_live(f"{host}/x/1")
