"""Plain words: what the glossary refuses stands in no docstring, comment, message, page or document."""

import csv
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
REFUSED = [
    (re.compile(row["refused"], re.IGNORECASE), row["instead"])
    for row in csv.DictReader((ROOT / "tests/glossary.csv").read_text(encoding="utf-8").splitlines())
]
# Values and keys of files and of the HTTP API, which stay.
KEPT = re.compile(r"""(["'`])(foretold|fans|deed)\1|\bfans: list\[|"foretold: """)
READ = {".py", ".md", ".html", ".js", ".json", ".txt"}
TEXTS = sorted(
    path
    for folder in ("src/viral", "docs", "examples", "recipes", "README.md", "CONTRIBUTING.md")
    for path in ([ROOT / folder] if (ROOT / folder).is_file() else (ROOT / folder).rglob("*"))
    if path.suffix in READ and "vendor" not in path.parts
)


def refused(text: str) -> list[str]:
    """Each refused word with its line, and what to say instead."""
    return [
        f"line {number}: {found.group()!r}: say {instead}"
        for number, line in enumerate(text.splitlines(), 1)
        for pattern, instead in REFUSED
        if (found := pattern.search(KEPT.sub("", line))) is not None
    ]


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_plain_words(path: Path) -> None:
    assert refused(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "text", ["its vector, foretold by a ridge", "# A Newcomer", "What they took", "items that a user has taken"]
)
def test_a_refused_word_is_found(text: str) -> None:
    assert refused(text)
