"""Which code a cell is of: what its numbers depend on counts, and nothing else does."""

import sys

import pytest

from makers import write
from viral.lab.study import code_fingerprint as code
from viral.lab.study.code_fingerprint import code_of
from viral.models import MODELS
from worlds import ZOO, class_of

MODEL = '''"""A model."""
from outer_box.parts import {part}
from viral.models import EmbeddingRecommender


class Mine(EmbeddingRecommender[object]):
    """Half of it."""

    def half(self) -> int:
        return {part}(2)  # a comment
'''
DOUBLE = MODEL.format(part="double")
PARTS = "import outer_box.other as other\ndef double(x): return 2 * x\ndef triple(x): return 3 * x\n"


@pytest.fixture
def outside(tmp_path, monkeypatch):
    """Writes the files of a package outside VIRAL and gives the fingerprint of its model."""
    monkeypatch.syspath_prepend(tmp_path)

    def made(model=DOUBLE, parts=PARTS, other="VALUE = 1\n"):
        files = {"__init__": "", "model": model, "parts": parts, "other": other, "unused": f"{other}# not imported\n"}
        for name, text in files.items():
            write(tmp_path / "outer_box" / f"{name}.py", text)
        for name in [name for name in sys.modules if name.startswith("outer_box")]:
            del sys.modules[name]
        code._read.cache_clear()
        sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
        from outer_box.model import Mine

        sys.dont_write_bytecode = before
        return code_of(Mine)

    yield made
    for name in [name for name in sys.modules if name.startswith("outer_box")]:
        del sys.modules[name]


def test_the_model_and_what_it_imports_of_its_package_count(outside):
    first = outside()
    assert outside(model=MODEL.format(part="triple")) != first
    assert outside(parts=PARTS.replace("2 * x", "2 + x")) != first
    assert outside(other="VALUE = 2\n") != first, "also what it imports by way of another module"
    assert outside() == first


def test_words_and_layout_do_not_count(outside):
    told = DOUBLE.replace("Half of it.", "The half of it.").replace("  # a comment", "\n")
    assert outside(model=told, parts="# parts\n\n" + PARTS) == outside()


def test_models_of_the_zoo_do_not_depend_on_each_other():
    found = {name: code_of(class_of(name)) for name in ZOO}
    assert len(set(found.values())) == len(ZOO)
    assert not code._is_hop("viral.lab.study.code_fingerprint") and not code._is_hop("viral.models")


@pytest.mark.parametrize(
    "module",
    [
        "training.loop",
        "training.objectives",
        "training.item_memory",
        "evaluation.metrics",
        "evaluation.protocol",  # which says what is masked
        "run.fitted_model",
        "data.splitting",
        "data.sampling",
        "graph.functions.sparse",
        "models.base",
        "graph.functions.softmax",
    ],
)
def test_a_change_of_a_hop_is_a_change(module, monkeypatch):
    """LightGCN's numbers depend on all of these."""
    before, real = code_of(MODELS["lightgcn"]), code._read
    code_of.cache_clear()

    def changed(name):
        found = real(name)
        return (found[0] + "\nx = 1", found[1]) if found is not None and name == f"viral.{module}" else found

    monkeypatch.setattr(code, "_read", changed)
    assert code_of(MODELS["lightgcn"]) != before
    code_of.cache_clear()
