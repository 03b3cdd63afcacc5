"""A model is added from outside the package: one file and one word, and it is trained and compared."""

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from makers import write
from viral.apps.cli import app
from viral.base.recipe import Recipe, TrainConfig
from viral.data.dataset import Dataset
from viral.lab.study import code_fingerprint as code
from viral.lab.study import compare
from viral.run.retrieval import Retriever
from worlds import dataset_folder, two_tastes

WORD = "my_shop.my_model:MyModel"
FILE = '''"""Items are as good as they are near to what everybody likes."""

from dataclasses import dataclass

from torch import Tensor

from viral.data.inputs import ModelInputs
from viral.data.interactions import Triplets
from viral.models import EmbeddingRecommender, Embeddings
from viral.graph.functions import bpr_loss, dot, embedding


@dataclass(frozen=True, kw_only=True)
class MyConfig:
    width: int = 3


class MyModel(EmbeddingRecommender[MyConfig]):
    Config = MyConfig

    def __init__(self, inputs: ModelInputs, config: MyConfig) -> None:
        super().__init__(inputs, config)
        self.users = embedding(self.num_users, config.width)
        self.items = embedding(self.num_items, config.width)

    def embed(self) -> Embeddings:
        return Embeddings(self.users.weight, SIGN * self.items.weight)

    def loss(self, batch: Triplets) -> dict[str, Tensor]:
        users, items = self.embed()
        u = users[batch.users]
        return {"bpr": bpr_loss(dot(u, items[batch.positives]), dot(u, items[batch.negatives]))}


SIGN = 1
'''
FEW = ["--set", "train.max_epochs=3", "--set", "train.batch_size=64"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with a data set and somebody's package; the interpreter forgets it afterwards."""
    write(tmp_path / "my_shop" / "my_model.py", FILE)
    dataset_folder(tmp_path / "world", two_tastes(12))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path
    forget()


def forget():
    for name in [name for name in sys.modules if name.startswith("my_shop")]:
        del sys.modules[name]


def viral(*words, status=0):
    done = CliRunner().invoke(app, [*words])
    assert done.exit_code == status, done.output
    return done


def test_train_takes_a_class_of_another_package(folder):
    summary = json.loads(viral("train", "world", "--model", WORD, "--out", "run", *FEW, "--json").stdout)
    assert summary["model"] == WORD and summary["epochs"] == 3
    assert summary["num_parameters"] == 24 * 3
    viral("train", "world", "--model", WORD, "--out", "wide", *FEW, "--set", "width=5")
    assert json.loads(Path("wide/run.json").read_text())["num_parameters"] == 24 * 5
    assert "'widht'" in viral("train", "world", "--model", WORD, "--out", "no", "--set", "widht=5", status=2).stderr
    assert len(Retriever.load("run").recommend("u0", 4)) == 4


def edit(folder, old, new):
    """Change the model's file, as its author would between two commands."""
    path = folder / "my_shop" / "my_model.py"
    path.write_text(path.read_text().replace(old, new))
    forget()
    code._read.cache_clear()


def test_compare_takes_it_beside_the_zoo_and_knows_when_its_code_has_changed(folder, capsys):
    few = TrainConfig(max_epochs=3, batch_size=64)
    recipes = {name: Recipe(model=name, train=few) for name in ("popularity", WORD)}

    def compared():
        board = compare(Dataset.open("world"), recipes, Path("study"), seeds=[0])
        events = [json.loads(line)["event"] for line in Path("study/journal.jsonl").read_text().splitlines()]
        return {row.name: row.code_changed for row in board.rows}, capsys.readouterr().err, events.count("finished")

    assert compared()[0] == {"popularity": False, WORD: False}
    assert WORD in Path("study/report.html").read_text(encoding="utf-8")
    edit(folder, "SIGN = 1", "SIGN = 1  # a comment changes nothing")
    changed, said, finished = compared()
    assert changed[WORD] is False and "other code" not in said and finished == 2
    edit(folder, "SIGN = 1", "SIGN = -1")
    changed, said, finished = compared()
    assert changed == {"popularity": False, WORD: True} and "1 of those that are done are of other code" in said
    assert finished == 2, "told, and not thrown away unasked"
    document = json.loads(Path("study/results.json").read_text())
    assert document["code_changed"] == [WORD]
    assert "has changed since their cells were computed" in Path("study/report.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_command_line_compares_it_in_processes_of_their_own(folder):
    words = ["compare", "world", "--models", f"popularity,{WORD}", "--seeds", "1", "--out", "study", *FEW, "--json"]
    rows = {row["name"]: row for row in json.loads(viral(*words).stdout)["rows"]}
    assert set(rows) == {"popularity", WORD} and rows[WORD]["parameters"] == 24 * 3 and rows[WORD]["epochs"] == [3]
    edit(folder, "SIGN = 1", "SIGN = -1")
    renewed = json.loads(viral(*words, "--renew").stdout)
    assert renewed["code_changed"] == []
    journal = [json.loads(line) for line in Path("study/journal.jsonl").read_text().splitlines()]
    assert sum(entry["event"] == "finished" for entry in journal) == 3, "the row whose code has not changed is kept"
