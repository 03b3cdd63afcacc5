"""A shop's real week, typed: from fresh exports to an answer over HTTP, and again next week with nothing lost."""

import hashlib
import json
import re
import shlex
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

import week_world as week
from viral.apps.cli import app
from viral.data.dataset import Dataset
from viral.enrich import load_descriptions, load_edits

pytestmark = pytest.mark.slow
HAND = "A cosy scarf that Grandmother would like."


def viral(*words: object, code: int = 0) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == code, done.output
    return done.output


@contextmanager
def served(command: list[str]) -> Iterator[str]:
    """The address that a command serves at its end, once it says so; it is stopped as by Ctrl-C."""
    words = [sys.executable, "-c", "from viral.apps.cli import main; main()", *command, "--port", "0"]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    said: list[str] = []
    try:
        assert process.stderr is not None
        for line in process.stderr:
            said.append(line)
            if found := re.search(r"on (http://\S+) \(Ctrl-C", line):
                break
        else:
            raise AssertionError("".join(said))
        yield found[1]
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


def asked(address: str, path: str, body: dict[str, Any] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address + path, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def vectors(dataset: Path) -> dict[str, str]:
    files = (dataset / "features").glob("*.parquet")
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def splits(dataset: Path) -> dict[tuple[str, str], str]:
    log = Dataset.open(dataset).interactions().select("user_id", "item_id", "split")
    return {(user, item): part for user, item, part in log.iter_rows()}


def test_the_whole_week(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    week.first_week(tmp_path / "monday")
    shop, run = Path("shop"), Path("runs/shop")
    words = ["up", "monday", "--dataset", "shop", "--run", "runs/shop"]

    # The log has lost its zeros: it stops, and says what to type.
    output = viral(*words, "--no-serve", code=1)
    assert "leading zeros are lost on one side" in output and "--repair-ids" in output
    typed = next(line.strip() for line in output.splitlines() if line.startswith("  viral import "))
    viral(*shlex.split(typed)[1:], "--repair-ids")

    # From there to a served answer in one command, that serves at its end.
    with served(words) as address:
        answer = asked(address, "/v1/recommend", {"user_id": "c00000", "k": 5})
        assert len(answer["recommendations"]) == 5 and all(item["title"] for item in answer["recommendations"])
    dataset = Dataset.open(shop)
    assert dataset.manifest["counts"]["images"] == 44 and dataset.manifest["counts"]["items"] == 48
    summary = json.loads((run / "run.json").read_text())
    assert summary["metrics"]["recall@20"] > 0.5, "everybody likes one kind, a quarter of the goods"

    # Somebody writes a description by hand.
    edited, before, parts, ids = week.article(7), load_descriptions(dataset), splits(shop), dataset.catalog().ids
    viral("enrich", "shop", "--edit", edited, "--text", HAND)
    asked_before = _asked(shop)

    # Next week: new, renamed and otherwise pictured articles, new customers.
    week.second_week(tmp_path / "next monday")
    again = ["up", "next monday", "--dataset", "shop", "--run", "runs/shop"]
    plan = viral(*again, "--dry-run")
    assert "viral import table 'next monday' shop --append" in plan
    output = viral(*again, "--no-serve")
    assert "4 new items, 2 changed items" in output

    # Nothing is lost, and only what is new was described.
    now = Dataset.open(shop)
    assert now.catalog().ids[:48] == ids
    assert now.catalog()[week.article(3)].title == "Black Scarf with fringes"
    assert now.manifest["counts"]["images"] == 48
    assert {pair: splits(shop)[pair] for pair in parts} == parts
    assert load_edits(now) == {edited: HAND}
    described = load_descriptions(now)
    assert before is not None and described is not None
    same = set(before.texts) - {edited, week.article(3), week.article(5)}
    assert {item: described.texts[item] for item in same} == {item: before.texts[item] for item in same}
    assert described.texts[edited] == HAND
    assert set(described.texts) >= {week.article(n) for n in range(48, 52)}
    assert _asked(shop) - asked_before <= 6, "four new pictures, another title, another picture"
    assert [Path(one["path"]).name for one in now.manifest["source"]["history"]] == ["monday", "next monday"]

    # Either way of going on is told with whether its numbers can be compared, and serves the new articles.
    summary = json.loads((run / "run.json").read_text())
    assert "has changed" in summary["update"]["test_note"] if "update" in summary else summary["epochs"] > 1
    with served(["serve", "runs/shop"]) as address:
        new = asked(address, f"/v1/items/{week.article(48)}")
        assert "no 48" in new["title"]
        assert asked(address, "/v1/recommend", {"user_id": "c00061", "k": 3})["recommendations"], "a new customer"

    # The same command again does nothing.
    made = vectors(shop)
    assert "all is done" in viral(*again, "--no-serve") and vectors(shop) == made

    # Importing anew keeps what was made by hand and for money, too.
    viral("import", "table", "monday", "shop", "--overwrite", "--repair-ids")
    assert load_edits(Dataset.open(shop)) == {edited: HAND}
    viral("enrich", "shop")
    assert _asked(shop) - asked_before <= 6 + 2
    assert pl.read_parquet(shop / "features" / "text.parquet").height >= 47


def _asked(dataset: Path) -> int:
    """How many pictures the describer was asked about so far, by the ledger."""
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(dataset / "ledger.sqlite")) as ledger:
        (count,) = ledger.execute("SELECT count(*) FROM entries").fetchone()
    return int(count)
