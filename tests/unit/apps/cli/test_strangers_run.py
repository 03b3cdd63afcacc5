"""A run that somebody else made: it names a model outside VIRAL, whose code must not run by itself."""

import json
import sys
from pathlib import Path

import pytest
from hardening.damage import flips
from typer.testing import CliRunner

from viral.apps.cli import app
from viral.apps.serve.pages.run_comparison import run_config
from viral.base.errors import DataError
from viral.base.files import fingerprint
from viral.base.recipe import Recipe
from viral.run.pipeline import train
from viral.run.summary import read_summary
from worlds import dataset_folder, two_tastes

EVIL = "from pathlib import Path\nPath('ran').touch()\n"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data set, and a run of it whose recipe and bundle name a module that lies in the working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "stranger", raising=False)
    monkeypatch.setattr(sys, "path", [*sys.path])
    dataset = dataset_folder(tmp_path / "data", two_tastes())
    train(dataset, Recipe(model="bpr").with_settings(["train.max_epochs=2"]), tmp_path / "run")
    (tmp_path / "stranger.py").write_text(EVIL)
    manifest = json.loads((tmp_path / "run" / "bundle" / "bundle.json").read_text())
    del manifest["sha256"]
    manifest["about"]["recipe"]["model"] = "stranger:Model"
    (tmp_path / "run" / "bundle" / "bundle.json").write_text(json.dumps(manifest | {"sha256": fingerprint(manifest)}))
    recipe = (tmp_path / "run" / "recipe.toml").read_text().replace('"bpr"', '"stranger:Model"')
    (tmp_path / "run" / "recipe.toml").write_text(recipe)
    return tmp_path


@pytest.mark.parametrize(
    "words",
    [
        "update run data --out next",
        "train data --production --from run --out next",
        "train data --production --from run --model bpr --out next",
    ],
)
def test_a_strangers_code_does_not_run(world: Path, words: str) -> None:
    done = CliRunner().invoke(app, words.split())
    assert done.exit_code == 2 and not (world / "ran").exists()
    assert "outside VIRAL" in done.stderr or "its model differs" in done.stderr


@pytest.mark.parametrize("words", ["update run data --out next", "train data --production --from run --out next"])
def test_it_runs_where_the_user_allows_it(world: Path, words: str) -> None:
    done = CliRunner().invoke(app, [*words.split(), "--trust-run"])
    assert (world / "ran").exists() and "cannot load model" in done.stderr, "it ran, and has no such class"


def test_the_page_of_experiments_does_not_run_it(world: Path) -> None:
    config = run_config(world / "run", read_summary(world / "run"))
    assert "not known here" in str(config.gap) and not (world / "ran").exists()


def test_a_flipped_bit_of_a_runs_summary_is_noticed_or_harmless(world: Path) -> None:
    before, noticed = read_summary(world / "run"), 0
    for _ in flips(world / "run" / "run.json", 60):
        try:
            assert before.items() <= read_summary(world / "run").items()  # or the seal has lost its name
        except DataError as error:
            assert error.where == str(world / "run" / "run.json")
            noticed += 1
    assert noticed > 50


@pytest.mark.parametrize("content", ["{}", "[]", "3", '{"identity": 3}'])
def test_an_identity_that_names_nothing_is_told(world: Path, content: str) -> None:
    (world / "run" / "identity.json").write_text(content)
    done = CliRunner().invoke(app, ["train", "data", "--model", "bpr", "--out", "run"])
    assert done.exit_code == 1 and "it names no run" in done.stderr
