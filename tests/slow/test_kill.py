"""``viral enrich`` killed at random moments: nothing is lost, and no answer that was kept is paid for again.

What cannot be had is a request that is under way at a kill and yet never repeated: its answer may have been paid for
and not have arrived. So the bound is this: a kill costs at most the requests whose answers are not yet in the ledger,
and ``enrich`` lets there be no more than twice the describer's ``concurrency`` of them.
"""

import contextlib
import hashlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from describers import draw
from viral.data.dataset import Source, write_tables

ITEMS, KILLS, CONCURRENCY, SEED = 500, 20, 4, 5
BOUND = 2 * CONCURRENCY
SERVER = Path(__file__).parents[1] / "openai_server.py"


def shop(folder: Path) -> dict[str, str]:
    """A data set of ``ITEMS`` different pictures; item id by the picture's SHA-256."""
    ids = [f"i{n:03}" for n in range(ITEMS)]
    paths = [draw(folder / "images" / f"{name}.png", n * 101 + 1, (6, 4)) for n, name in enumerate(ids)]
    items = pl.DataFrame({
        "item_id": ids, "title": [f"thing {name}" for name in ids], "text": "",
        "image": [f"images/{path.name}" for path in paths],
    })  # fmt: skip
    log = pl.DataFrame({"user_id": ["u"] * 3, "item_id": ids[:3], "split": ["train", "valid", "test"]})
    write_tables(folder, items, log, Source(layout="test"))
    return {hashlib.sha256(path.read_bytes()).hexdigest(): name for name, path in zip(ids, paths, strict=True)}


@contextlib.contextmanager
def server(log: Path):
    """The test server in a process of its own, which takes 10 ms for an answer; yields its address."""
    log.touch()
    command = [sys.executable, str(SERVER), "--slow", "0.01", "--log", str(log)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def enriching(folder: Path, url: str) -> subprocess.Popen:
    settings = [f"--set={word}" for word in (f"url={url}", "model=tiny", f"concurrency={CONCURRENCY}")]
    command = [
        sys.executable,
        "-c",
        "from viral.apps.cli import main; main()",
        "enrich",
        str(folder),
        "--describer",
        "openai",
        "--json",
        *settings,
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def calls(log: Path) -> Counter:
    """How often each picture was asked about: the lines of whole events."""
    lines = log.read_text().splitlines()
    return Counter(words[1] for line in lines if len(words := line.split()) == 3 and words[0] == "asked")


def kept(folder: Path) -> set[str]:
    """Pictures whose description is in the ledger."""
    ledger = folder / "ledger.sqlite"
    if not ledger.exists():
        return set()
    with contextlib.closing(sqlite3.connect(ledger)) as book:
        if not book.execute("SELECT count(*) FROM sqlite_master WHERE name = 'entries'").fetchone()[0]:
            return set()
        rows = book.execute("SELECT image_sha256, status FROM entries").fetchall()
    assert {status for _, status in rows} <= {"done"}  # a kill leaves no failure behind
    return {picture for picture, _ in rows}


def killed(process: subprocess.Popen, log: Path, rng: random.Random, early: bool) -> None:
    """SIGKILL after some more calls and a little while, or (``early``) after a while from the start."""
    if early:
        time.sleep(rng.uniform(0.0, 1.0))
    else:
        goal, end = calls(log).total() + rng.randint(1, 42), time.monotonic() + 60
        while process.poll() is None and calls(log).total() < goal and time.monotonic() < end:
            time.sleep(0.005)
        time.sleep(rng.uniform(0.0, 0.02))
    assert process.poll() is None, process.stderr.read()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def descriptions(folder: Path) -> pl.DataFrame:
    return pl.read_parquet(folder / "descriptions" / "openai-title.parquet")


@pytest.mark.slow
def test_killed_at_twenty_random_moments_every_item_is_described_and_no_kept_answer_is_paid_again(tmp_path):
    rng = random.Random(SEED)
    folder, log = tmp_path / "shop", tmp_path / "calls.log"
    pictures = shop(folder)
    shutil.copytree(folder, tmp_path / "undisturbed")
    when_kept: dict[str, int] = {}  # how often a picture had been asked about when its answer was seen in the ledger
    lost = []
    with server(log) as url:
        for kill in range(KILLS):
            before = calls(log)
            killed(enriching(folder, url), log, rng, early=kill % 7 == 6)
            time.sleep(0.1)  # for the server to write down what reached it before the end
            asked, there = calls(log), kept(folder)
            lost.append(sum((asked - before)[picture] for picture in asked if picture not in there))
            for picture in there:
                assert asked[picture] == when_kept.setdefault(picture, asked[picture])
            assert set(when_kept) == there
        done = len(when_kept)
        process = enriching(folder, url)
        output, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        counts = json.loads(output)["counts"]
        asked = calls(log)
        assert all(asked[picture] == times for picture, times in when_kept.items())
        process = enriching(tmp_path / "undisturbed", url)
        assert process.communicate(timeout=120) and process.returncode == 0

    assert counts == {**dict.fromkeys(counts, 0), "done": ITEMS}
    assert set(asked) == set(pictures) == kept(folder)
    assert 100 < done < ITEMS and len(lost) == KILLS  # the kills fell into the work, and some of it was left
    assert max(lost) <= BOUND and sum(count > 0 for count in lost) > KILLS / 2
    assert asked.total() == ITEMS + sum(lost)  # nothing else was asked twice
    assert descriptions(folder).equals(descriptions(tmp_path / "undisturbed"))
    assert calls(log) - asked == Counter(dict.fromkeys(pictures, 1))  # the undisturbed run: once each
    sys.stderr.write(f"calls lost at each kill: {lost}; described before the last run: {done}\n")
