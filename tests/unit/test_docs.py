"""What the documentation points at exists, and what it tells to type can be typed."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from viral.apps.cli import app

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
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
