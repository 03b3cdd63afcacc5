"""What no file may do: import against the direction of the data, or load a pickle."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
PICKLING = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
LOADING_CODE = {("allow_pickle", True), ("weights_only", False), ("trust_remote_code", True)}
NEEDS = {
    "torch.load": ("weights_only", True),
    "np.load": ("allow_pickle", False),
    "numpy.load": ("allow_pickle", False),
}


def pickles(source: str) -> Iterator[str]:
    """Every way in which a module's code could load a pickle."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (f"import {a.name}" for a in node.names if a.name.partition(".")[0] in PICKLING)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in PICKLING:
            yield f"from {node.module} import …"
        elif isinstance(node, ast.Call):
            keywords = {(k.arg, k.value.value) for k in node.keywords if isinstance(k.value, ast.Constant)}
            yield from (f"{name}={value}" for name, value in keywords & LOADING_CODE)
            call = ast.unparse(node.func)
            if call in NEEDS and NEEDS[call] not in keywords:
                yield f"{call} without {NEEDS[call][0]}={NEEDS[call][1]}"
            if call in ("pl.read_pickle", "pd.read_pickle", "eval", "exec"):
                yield call


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_pickle_is_ever_loaded(path):
    assert list(pickles(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "import dill.source",
        "from joblib import load",
        "np.load(f)",
        "np.load(f, allow_pickle=True)",
        "torch.load(f)",
        "torch.load(f, weights_only=False)",
        "eval(text)",
        "f(trust_remote_code=True)",
    ],
)
def test_a_pickle_would_be_found(code):
    assert list(pickles(code))


def test_imports_go_one_way():
    """In a process of its own: it configures logging, which silences every logger that other tests listen to."""
    code = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


BASELINES = "viral.models.baselines"


def baselines_imported(source: str) -> Iterator[str]:
    """Every baseline that a module imports, inside functions too."""
    for node in ast.walk(ast.parse(source)):
        named = [a.name for a in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
        if isinstance(node, ast.ImportFrom):
            module = f"{BASELINES}.{node.module or ''}".rstrip(".") if node.level else str(node.module)
            named = [f"{module}.{name}" for name in named]
        yield from (name for name in named if name.startswith(f"{BASELINES}."))


ONE_MODEL_EACH = sorted((ROOT / "src/viral/models").rglob("*.py"))
ONE_MODEL_EACH.remove(ROOT / "src/viral/models/__init__.py")  # which lists them


@pytest.mark.parametrize("path", ONE_MODEL_EACH, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_baseline_is_one_file_that_no_other_model_needs(path):
    assert list(baselines_imported(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "code",
    [
        "import viral.models.baselines.ease",
        "from viral.models.baselines.l3ae import L3AE",
        "from viral.models.baselines import ease",
        "from . import ease",
        "from .ease import EASE",
        "def f():\n    from viral.models.baselines.bpr import BPR",
    ],
)
def test_a_baseline_of_a_baseline_would_be_found(code):
    assert list(baselines_imported(code))


def written_gradients(source: str) -> Iterator[str]:
    """Every class that derives from torch's ``Function``, by whatever name it is imported."""
    tree = ast.parse(source)
    imported = [
        n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and str(n.module).startswith("torch.autograd")
    ]
    names = {a.asname or a.name for node in imported for a in node.names if a.name == "Function"}
    for node in ast.walk(tree):
        bases = [ast.unparse(base) for base in node.bases] if isinstance(node, ast.ClassDef) else []
        yield from (
            base for base in bases if base in names or base.endswith(("autograd.Function", "function.Function"))
        )


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_gradients_are_written_by_hand_in_one_place(path):
    found = list(written_gradients(path.read_text(encoding="utf-8")))
    assert not found or path.parent == ROOT / "src/viral/graph/functions"


@pytest.mark.parametrize(
    "code",
    [
        "class _F(torch.autograd.Function): ...",
        "from torch import autograd\nclass _F(autograd.Function): ...",
        "from torch.autograd import Function\nclass _F(Function): ...",
        "from torch.autograd.function import Function as Written\nclass _F(Written): ...",
    ],
)
def test_a_written_gradient_would_be_found(code):
    assert list(written_gradients(code))


def kinds_asked(source: str) -> Iterator[str]:
    """Every place where a module asks what kind of scorer or recommender it has."""
    for node in ast.walk(ast.parse(source)):
        asked: list[ast.AST] = []
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "isinstance":
            asked = node.args[1:]
        elif isinstance(node, ast.MatchClass):
            asked = [node.cls]
        elif isinstance(node, ast.Compare) and ast.unparse(node.left).startswith("type("):
            asked = list(node.comparators)
        names = re.findall(r"\w+", " ".join(map(ast.unparse, asked)))
        yield from (name for name in names if name.endswith(("Scorer", "Recommender")))


OUTSIDE_MODELS = [path for path in SOURCES if "models" not in path.relative_to(ROOT / "src" / "viral").parts[:1]]


@pytest.mark.parametrize("path", OUTSIDE_MODELS, ids=lambda path: str(path.relative_to(ROOT)))
def test_nobody_asks_for_the_kind_of_a_scorer(path):
    """What a caller needs is a method that every scorer has (``viral.models.scorers.Scorer``)."""
    assert list(kinds_asked(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "code",
    [
        "isinstance(scorer, EmbeddingScorer)",
        "isinstance(bundle.scorer, (int, models.HistoryScorer))",
        "not isinstance(model, EmbeddingRecommender | None)",
        "type(scorer) is MemoryScorer",
        "match scorer:\n    case SparseHistoryScorer():\n        pass",
    ],
)
def test_a_question_for_a_kind_would_be_found(code):
    assert list(kinds_asked(code))
