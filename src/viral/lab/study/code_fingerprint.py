"""Which code computed a cell: a fingerprint of the modules that its numbers depend on, and of no others."""

import ast
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from viral.base.files import fingerprint
from viral.data.inputs import ModelInputs
from viral.data.splitting import split
from viral.evaluation.protocol import measure
from viral.run.fitted_model import fit_model
from viral.training import build_model, fit
from viral.training.item_memory import finish

# What prepares, trains and measures every model, wherever it stands; the model's own modules are added to them.
ROOTS = tuple(
    dict.fromkeys(one.__module__ for one in (split, ModelInputs, build_model, fit, fit_model, finish, measure))
)
HOPS = (*ROOTS, "viral.data", "viral.graph", "viral.models", "viral.training", "viral.evaluation")
# The table of models, which imports all of them, and what only reads a finished measurement.
LEFT_OUT = ("viral.models", "viral.evaluation.segments", "viral.evaluation.significance")


@lru_cache(maxsize=256)
def code_of(model: type[Any]) -> str:
    """SHA-256 of the code that trains and measures ``model``: its modules and what they import of the same package.

    Of VIRAL only the hops from the data to the measurement. Comments, docstrings and layout do not count; other
    packages (torch) are not looked at.
    """
    own = _top(model.__module__)
    waiting = [*ROOTS, *(base.__module__ for base in model.__mro__)]
    found: dict[str, str] = {}
    while waiting:
        name = waiting.pop()
        if name in found or not (_is_hop(name) or (_top(name) == own != "viral")):
            continue
        read = _read(name)
        if read is not None:
            found[name], imports = read
            waiting += imports
    return fingerprint(dict(sorted(found.items())))


def code_of_modules(names: Iterable[str]) -> str:
    """SHA-256 of the code of these modules alone."""
    return fingerprint([read[0] for name in names if (read := _read(name)) is not None])


def _is_hop(name: str) -> bool:
    return name not in LEFT_OUT and any(name == hop or name.startswith(f"{hop}.") for hop in HOPS)


def _top(name: str) -> str:
    return name.partition(".")[0]


@lru_cache(maxsize=1024)
def _read(name: str) -> tuple[str, tuple[str, ...]] | None:
    """A module's code without its docstrings, and the modules that it imports; None for what has no source."""
    try:
        spec = find_spec(name)
    except (ImportError, AttributeError, ValueError):  # ``from package import something`` that is no module
        return None
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    tree = ast.parse(Path(spec.origin).read_bytes())
    package = name if spec.submodule_search_locations is not None else name.rpartition(".")[0]
    imports = tuple(dict.fromkeys(_imports(tree, package)))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [line for line in node.body if not _is_text(line)]
    return ast.unparse(tree), imports


def _is_text(line: ast.stmt) -> bool:
    return isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant) and isinstance(line.value.value, str)


def _imports(tree: ast.Module, package: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{each.name}" for each in node.names)
