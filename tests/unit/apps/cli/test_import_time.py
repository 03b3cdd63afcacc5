"""What an answer costs: the command line imports what it needs for it, and nothing else."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from serving import save_run

TORCH = {"torch._dynamo", "torch._inductor", "torchvision"}
HEAVY = TORCH | {
    "scipy", "sklearn", "transformers", "sentence_transformers", "onnxruntime", "rapidocr", "matplotlib", "PIL.Image",
    "httpx", "httpcore", "pyarrow", "pandas", "optuna", "ray", "faiss", "fastapi", "jinja2", "sympy",
}  # fmt: skip
RUNS = """
import sys
from viral.apps.cli import app
app(sys.argv[1:], standalone_mode=False)
print("loaded:", *sorted(sys.modules))
"""


def loaded(*words: str) -> set[str]:
    """The modules that the command imports, in a process of its own."""
    done = subprocess.run([sys.executable, "-c", RUNS, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return set(done.stdout.rpartition("loaded: ")[2].split())


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_run(tmp_path_factory.mktemp("run"))


@pytest.mark.parametrize(
    "words",
    [("recommend", "--user", "u1"), ("recommend", "--item", "i4"), ("similar", "--item", "i4"),
     ("explain", "--user", "u1", "--item", "i9")],
    ids=lambda words: words[0] + words[1],
)  # fmt: skip
def test_one_answer_imports_no_heavy_library(run: Path, words: tuple[str, ...]) -> None:
    found = loaded(words[0], str(run), *words[1:])
    assert "torch" in found  # the test would see them
    assert found & HEAVY == set()


def test_help_and_version_import_not_even_torch() -> None:
    assert loaded("--help") & (HEAVY | {"torch", "polars", "numpy"}) == set()
    assert loaded("--version") & (HEAVY | {"torch", "polars", "numpy"}) == set()


def test_the_version_is_that_of_the_package() -> None:
    done = subprocess.run([Path(sys.executable).parent / "viral", "--version"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, f"viral {version('viral')}\n")
