"""The language of pages, reports and explanations: English as written in the code, Chinese by a catalogue of strings.

The English sentence is the key, as in gettext; what the catalogue lacks is shown in English. A catalogue is every file
``locale/LANGUAGE/*.json`` of the package: one object of English sentence -> translation, with ``%(name)s`` where a
value stands. The language is a context variable, so that requests served side by side each have their own.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

ENGLISH = "en"
LANGUAGES = {ENGLISH: "English", "zh": "中文"}
LOCALE = Path(__file__).parent / "locale"
_CURRENT: ContextVar[str] = ContextVar("language", default=ENGLISH)


def current() -> str:
    """The language at work: a key of ``LANGUAGES``."""
    return _CURRENT.get()


@contextmanager
def using(language: str) -> Iterator[None]:
    """Whatever is translated inside the block is in ``language``; an unknown one is English."""
    token = _CURRENT.set(language if language in LANGUAGES else ENGLISH)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def preferred(header: str) -> str:
    """The first of our languages that an ``Accept-Language`` header asks for, by its weights; else English."""
    wanted = []
    for place, entry in enumerate(header.split(",")):
        tag, _, weight = entry.strip().partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        wanted.append((-quality, place, tag.strip().lower().split("-")[0]))
    return next((tag for quality, _, tag in sorted(wanted) if quality < 0 and tag in LANGUAGES), ENGLISH)


@cache
def catalogue(language: str) -> dict[str, str]:
    """English sentence -> translation, of all files of a language."""
    files = sorted((LOCALE / language).glob("*.json"))
    return {key: text for file in files for key, text in json.loads(file.read_text(encoding="utf-8")).items()}


def gettext(sentence: str) -> str:
    """The sentence in the current language, its places not yet filled."""
    return catalogue(current()).get(sentence, sentence)


def ngettext(singular: str, plural: str, number: int) -> str:
    """One of two forms in English, by number; the translation is that of the plural form."""
    if current() == ENGLISH:
        return singular if number == 1 else plural
    return catalogue(current()).get(plural, plural)


def _(sentence: str, **values: Any) -> str:
    """The sentence in the current language with its ``%(name)s`` filled."""
    return gettext(sentence) % values if values else gettext(sentence)


def n_(singular: str, plural: str, number: int, **values: Any) -> str:
    """As ``_`` of the form for ``number``, which stands at ``%(number)s``."""
    return ngettext(singular, plural, number) % {"number": f"{number:,}", **values}


def marked(sentence: str) -> str:
    """The sentence as it is, of a table whose entries are translated where they are shown; collected by this name."""
    return sentence
