"""What the documentation points at exists, and what it tells to type can be typed."""

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from typer.main import get_command

from viral.apps.cli import app

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
PLACE = re.compile(r"(?<![\w./-])(?:src|tests|bench|hardening|examples)/[\w./-]*\w")
FILE = re.compile(r"`([\w/]+\.(?:py|html|css|js))`")
DOTTED = re.compile(r"(?<![\w./-])(?:viral|bench)(?:\.[A-Za-z_]\w*)+(?![\w-]|\.\w)")
ROLE = re.compile(r":(?:mod|class|func|meth|attr|data|exc):`~?([\w.]+)`")
READERS_OWN = re.compile(r".*mymodel\.py|viral\.toml|viral\.md|.*COMMIT.*")  # made by readers, or another page
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)
COMMAND = re.compile(r"(?:^|`|&& )viral ([a-z][a-z-]*)((?:[^`\n]|\\\n)*)", re.MULTILINE)


def options_of(verb: str) -> set[str]:
    command = get_command(app).commands[verb]
    return {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}


def commands(text: str) -> list[tuple[str, list[str]]]:
    """Every ``viral VERB …`` of a page with its long options."""
    found = []
    for verb, rest in COMMAND.findall(text):
        words = re.split(r"\s+#|&&", rest.replace("\\\n", " "))[0]
        found.append((verb, re.findall(r"(?<![\w-])--[a-z][a-z-]*", words)))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    links = LINK.findall(page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_exist_with_their_options(page: Path) -> None:
    for verb, options in commands(page.read_text(encoding="utf-8")):
        assert verb in get_command(app).commands, f"{page.name}: viral {verb}"
        assert set(options) <= options_of(verb), f"{page.name}: viral {verb}"


def test_commands_are_found_in_the_pages() -> None:
    assert ("import", ["--images"]) in commands((ROOT / "README.md").read_text(encoding="utf-8"))


def test_recipes_that_are_named_are_there() -> None:
    named = {name for page in PAGES for name in re.findall(r"recipes/[\w/-]+\.toml", page.read_text(encoding="utf-8"))}
    assert named and [name for name in sorted(named) if not (ROOT / name).is_file()] == []


def exists(name: str) -> bool:
    """Whether a dotted name is a module, or an attribute (or field) of what can be imported."""
    parts = name.split(".")
    for size in range(len(parts), 0, -1):
        try:
            thing = import_module(".".join(parts[:size]))
        except ImportError:
            continue
        for part in parts[size:]:
            if part in getattr(thing, "__annotations__", {}):
                return part == parts[-1]
            if not hasattr(thing, part):
                return False
            thing = getattr(thing, part)
        return True
    return False


def astray(text: str) -> list[str]:
    """The places and names in a page that are nowhere."""
    names = {file.name for folder in ("src", "bench", "tests") for file in (ROOT / folder).rglob("*.*")}
    places = [place for place in PLACE.findall(text) if not (ROOT / place).exists()]
    files = [
        file
        for file in FILE.findall(text)
        if not any((ROOT / folder / file).exists() for folder in (".", "src/viral"))
        and ("/" in file or file not in names)
    ]
    gone = [*places, *files, *(name for name in DOTTED.findall(text) if not exists(name))]
    return sorted(name for name in set(gone) if not READERS_OWN.fullmatch(name))


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if page.name != "CHANGELOG.md"],  # which tells what was
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_places_and_names_in_the_code_exist(page: Path) -> None:
    assert astray(page.read_text(encoding="utf-8")) == []


def test_what_is_nowhere_is_found() -> None:
    text = "`src/viral/models/none.py`, viral.lab.study.none, `none.py`, `graph/none.py`; `model.py`, viral.Run.open."
    assert astray(text) == ["graph/none.py", "none.py", "src/viral/models/none.py", "viral.lab.study.none"]


def imported(text: str) -> list[str]:
    """What the Python of a page imports of ours, by dotted names."""
    nodes = [node for block in BLOCK.findall(text) for node in ast.walk(ast.parse(block))]
    found = [node for node in nodes if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("viral")]
    return [f"{node.module}.{one.name}" for node in found for one in node.names]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_pages_import_exists(page: Path) -> None:
    assert [name for name in imported(page.read_text(encoding="utf-8")) if not exists(name)] == []


def test_imports_are_found_in_the_pages() -> None:
    assert "viral.lab.shop.make_shop" in imported((ROOT / "docs/pixel-describer.md").read_text(encoding="utf-8"))


def local_names(tree: ast.Module) -> Iterator[str]:
    """What a module defines or imports, at any depth."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.alias):
            yield node.asname or node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg


def test_what_docstrings_refer_to_exists() -> None:
    files = [file for folder in ("src/viral", "tests", "bench") for file in sorted((ROOT / folder).rglob("*.py"))]
    roles = 0
    for file in files:
        text = file.read_text(encoding="utf-8")
        found = ROLE.findall(text)
        roles += len(found)
        known = set(local_names(ast.parse(text))) if found else set()
        gone = [name for name in found if not set(name.split(".")) <= known and not exists(name)]
        assert gone == [], file.relative_to(ROOT)
    assert roles > 50
