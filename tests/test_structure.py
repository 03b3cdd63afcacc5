"""What keeps the structure in the head: few entries at the top, short files, and no import circle."""

import re
from pathlib import Path

import grimp
import networkx
import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src/viral"
MOST_AT_THE_TOP, MOST_LINES = 13, 250


def circles(graph: networkx.DiGraph) -> list[list[str]]:
    """Modules that import each other, directly or by way of others; imports inside functions count."""
    return [sorted(each) for each in networkx.strongly_connected_components(graph) if len(each) > 1]


def test_no_import_circle() -> None:
    graph = grimp.build_graph("viral", cache_dir=None)
    arrows = [(one, other) for one in graph.modules for other in graph.find_modules_directly_imported_by(one)]
    assert len(arrows) > 1000
    assert circles(networkx.DiGraph(arrows)) == []


def test_a_circle_would_be_found() -> None:
    arrows = [("a", "b"), ("b", "c"), ("c", "a"), ("c", "d")]
    assert circles(networkx.DiGraph(arrows)) == [["a", "b", "c"]]


def test_few_entries_at_the_top() -> None:
    entries = {path.name for path in SOURCE.iterdir()} - {"__pycache__", "py.typed"}
    assert len(entries) <= MOST_AT_THE_TOP, sorted(entries)


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_file_is_read_at_one_sitting(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


def test_every_place_that_readers_are_sent_to_is_there() -> None:
    named = re.findall(r"`(src/viral/[^`]+)`", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    assert len(named) >= 10
    assert [place for place in named if not (ROOT / place).exists() and "mymodel" not in place] == []
