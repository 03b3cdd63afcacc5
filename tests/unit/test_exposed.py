"""A run tells how popular what it recommends is, and what a penalty for it changes."""

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from viral.apps.cli import app
from viral.base.language import using
from viral.data.dataset import Dataset, Source, write_tables
from viral.evaluation.exposure import exposure, in_words
from viral.run.bundle import Bundle
from viral.run.pipeline import evaluate_run, load_split

ITEMS, USERS = 60, 12


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Item n was taken by 12 - n users, the items from 12 on by one each; items 30 and 31 are tested on."""
    folder = tmp_path_factory.mktemp("exposed") / "data"
    folder.mkdir()
    ids = [f"i{n}" for n in range(ITEMS)]
    items = pl.DataFrame({"item_id": ids, "title": [f"Title {n}" for n in range(ITEMS)], "text": "", "image": ""})
    rows = [(u, n, "train") for u in range(USERS) for n in range(USERS) if u > n]
    rows += [(u, 12 + u, "train") for u in range(USERS)] + [(u, 30 + u % 2, "test") for u in range(USERS)]
    rows += [(u, 32 + u % 2, "valid") for u in range(USERS)]
    log = pl.DataFrame([(f"u{u}", f"i{n}", part) for u, n, part in rows], ["user_id", "item_id", "split"], orient="row")
    return write_tables(folder, items, log, Source(layout="test")).path


@pytest.fixture(scope="module")
def told(data: Path) -> str:
    done = CliRunner().invoke(app, ["train", str(data), "--model", "popularity", "--out", str(data.parent / "run")])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_training_measures_and_says_it(data: Path, told: str) -> None:
    kept = json.loads((data.parent / "run" / "run.json").read_text())
    bundle = Bundle.load(data.parent / "run" / "bundle")
    found = exposure(bundle.scorer, load_split(Dataset.open(data)))
    assert found is not None and kept["exposure"] == bundle.about["exposure"]
    assert {name: kept["exposure"][name] for name in ("coverage", "most", "gini", "users", "most_item")} == {
        name: getattr(found, name) for name in ("coverage", "most", "gini", "users", "most_item")
    }
    title = bundle.titles[bundle.items.index(found.most_item)]
    assert kept["exposure"]["most_title"] == title and kept["deed"] == bundle.about["deed"] == ""
    most = f"is in {100 * found.most:.0f} % of users' first 10; "
    assert f"recommended: the most recommended item, “{title}” ({found.most_item}), {most}" in told
    assert "viral evaluate" in told and "--less-popular 0.3" in told  # as all have the same


def test_a_penalty_changes_what_is_measured(data: Path, told: str) -> None:
    run = data.parent / "run"
    plain, less = evaluate_run(run), evaluate_run(run, less_popular=1.0)
    assert "less_popular" not in plain and less["less_popular"] == 1.0
    assert less["exposure"]["recommended"] < plain["exposure"]["recommended"]
    done = CliRunner().invoke(app, ["evaluate", str(run), "--less-popular", "1", "--json"])
    assert json.loads(done.stdout) == less
    shown = CliRunner().invoke(app, ["evaluate", str(run), "--less-popular", "1"]).stdout
    assert "recommended: " in shown and "--less-popular" not in shown


def test_it_is_told_in_plain_words_and_in_chinese() -> None:
    kept = {"k": 10, "most": 0.48, "coverage": 0.0034, "recommended": 30.0, "taken": 20.0}
    words = (
        "the most recommended item, A, is in 48 % of users' first 10; 0.3 % of all items are in those of at least one; "
        "what is recommended is 1.5 times as popular as their history"
    )
    assert in_words(kept, "A") == words
    assert in_words(kept | {"taken": 0.0}, "A") == words.rpartition("; ")[0]
    with using("zh"):
        assert "48 %" in in_words(kept, "A") and "users" not in in_words(kept, "A")
