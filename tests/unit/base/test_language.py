"""The language of pages: chosen for each request, English where nothing else is known, catalogues that fit the code."""

import json
import re

import pytest

from viral.base import language
from viral.base.language import LOCALE, _, n_, preferred, using

PLACES = re.compile(r"%\((\w+)\)[sd]")


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("", "en"), ("zh-CN,zh;q=0.9,en;q=0.8", "zh"), ("en-GB,zh;q=0.9", "en"), ("fr, zh;q=.4, en;q=.3", "zh"),
        ("zh;q=0", "en"), ("de", "en"), ("zh;q=x,en", "en"),
    ],
)  # fmt: skip
def test_the_browser_chooses_by_weight(header: str, wanted: str) -> None:
    assert preferred(header) == wanted


def test_a_language_holds_inside_its_block_alone() -> None:
    with using("zh"):
        assert _("Language") == "语言"
        with using("tlh"):
            assert _("Language") == "Language"
    assert _("Language") == "Language"


def test_a_sentence_without_translation_stays_english_and_is_filled() -> None:
    with using("zh"):
        assert _("no such %(thing)s", thing="sentence") == "no such sentence"
    assert n_("%(number)s item", "%(number)s items", 1) == "1 item"
    assert n_("%(number)s item", "%(number)s items", 1200) == "1,200 items"


@pytest.mark.parametrize("name", [name for name in language.LANGUAGES if name != "en"])
def test_translations_have_the_places_of_their_sentences_and_no_key_twice(name: str) -> None:
    seen: dict[str, str] = {}
    for file in sorted((LOCALE / name).glob("*.json")):
        for key, text in json.loads(file.read_text(encoding="utf-8")).items():
            assert key not in seen, f"{key!r} is in {seen.get(key)} and in {file.name}"
            seen[key] = file.name
            assert set(PLACES.findall(key)) == set(PLACES.findall(text)), key
            assert text.strip()
