"""Prompts: versioned texts, told apart by the hash of their template, into which a title goes as data.

The package's own prompts are the files ``prompts/<name>.<language>.txt``; a user's prompt is any UTF-8 text
file. Where a template has ``{title}``, the item's title is put, between title tags that it cannot close.
"""

import hashlib
import re
import unicodedata
from dataclasses import replace
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from viral.base.errors import DataError, UsageError, nearest
from viral.enrich.attributes import SCHEMA
from viral.enrich.checks import in_other_language, units
from viral.enrich.protocol import Prompt

TITLE_LIMIT = 200  # characters: longer titles are stuffed with search words, or with something worse
TEMPLATE_LIMIT = 20_000
WITH_SCHEMA = "attributes."  # the file names of those whose answer is JSON
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_BRACKETS = str.maketrans({"<": "‹", ">": "›", "＜": "‹", "＞": "›", "﹤": "‹", "﹥": "›"})
_HIDDEN = {"Cc", "Cf", "Cs", "Co"}  # control, format (bidi, zero width, tags), surrogate, private use


def prompt_names() -> tuple[str, ...]:
    """The names of the package's own prompts: ``title`` in English, ``title-zh`` in Chinese, and so on."""
    return tuple(sorted(_own()))


def load_prompt(name_or_path: str | Path) -> Prompt:
    """A prompt of the package by name (``plain``, ``title``), or one's own from a text file, named by the file's stem.

    Raises ``UsageError`` for a name that is neither, ``DataError`` for a file that is not a prompt.
    """
    name = str(name_or_path)
    own = _own()
    if name in own:
        file = own[name]
        language = file.name.split(".")[-2]
        schema = SCHEMA if file.name.startswith(WITH_SCHEMA) else None
        return replace(_prompt(name, file.read_bytes(), name), language=language, schema=schema)
    path = Path(name_or_path)
    if not path.is_file():
        hint = f"{nearest(name, own)} Or give the path of a text file."
        raise UsageError(f"unknown prompt {name!r}", hint=hint)
    if not _NAME.fullmatch(path.stem) or path.stem in own:
        hint = (
            "its name becomes part of file names: use letters, digits, '.', '_' and '-', and none of VIRAL's own names"
        )
        raise UsageError(f"{path.stem!r} cannot be the name of your prompt", where=name, hint=hint)
    prompt = _prompt(path.stem, path.read_bytes(), name)
    return replace(prompt, language=_language(prompt.template))


@cache
def known_prompt(name: str, sha256: str = "") -> Prompt:
    """The package's prompt of that name, and of that hash if one is given; else one of which nothing is known."""
    prompt = load_prompt(name) if name in prompt_names() else None
    return prompt if prompt and sha256 in ("", prompt.sha256) else Prompt(name, "", sha256, language="")


def _own() -> dict[str, Traversable]:
    """The package's prompts, ``<name>.<language>.txt``, by the name that chooses them."""
    found = {}
    for entry in (files("viral.enrich") / "prompts").iterdir():
        name, _, ending = entry.name.partition(".")
        language = ending.removesuffix(".txt")
        found[name if language == "en" else f"{name}-{language}"] = entry
    return found


def _language(template: str) -> str:
    """The language of one's own prompt, by its script; "" where it is neither Latin nor Chinese."""
    letters = units(template.replace("{title}", ""))
    return next((language for language in ("en", "zh") if not in_other_language(letters, language)), "")


def _prompt(name: str, data: bytes, where: str) -> Prompt:
    try:
        # Line ends, and the mark and blank lines that editors add, are not a change of wording.
        template = "\n".join(data.decode("utf-8-sig").splitlines()).strip()
    except UnicodeDecodeError:
        raise DataError("a prompt must be UTF-8 text", where=where, hint="save the file as UTF-8") from None
    if not 0 < len(template) <= TEMPLATE_LIMIT:
        hint = f"a prompt has between 1 and {TEMPLATE_LIMIT:,} characters"
        raise DataError(f"a prompt of {len(template):,} characters", where=where, hint=hint)
    return Prompt(name, template, hashlib.sha256(template.encode("utf-8")).hexdigest())


def clean_title(title: str) -> str:
    """The title as data: no control or hidden characters, no angle brackets, single spaces, at most 200 characters.

    Cleaning twice is cleaning once.
    """
    spaced = ("" if unicodedata.category(c) in _HIDDEN and not c.isspace() else c for c in title[: 10 * TITLE_LIMIT])
    folded = " ".join("".join(spaced).translate(_BRACKETS).split())
    return folded[:TITLE_LIMIT].rstrip()


def render(prompt: Prompt, title: str) -> str:
    """The text for a model: the template with every ``{title}`` replaced by the clean title between title tags."""
    return prompt.template.replace("{title}", f"<title>{clean_title(title)}</title>")
