"""Titles are anybody's text: nothing in them may reach a terminal as a command."""

import json

import pytest

from viral.base.safe_text import harmless, harmless_json


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("\x1b]0;other window\x07B", r"\x1b]0;other window\x07B"),
        ("\x9b31m", r"\x9b31m"),
        ("x\u202eylf", r"x\u202eylf"),
        ("\u2066a\u2069\u200fb\u061c", r"\u2066a\u2069\u200fb\u061c"),
        ("two\nlines\r\tof\u2028it", r"two\nlines\r\tof\u2028it"),
        ("half \ud83d", r"half \ud83d"),
        ("Größe 42 · مقاس · 尺码 · 👩‍🚀", "Größe 42 · مقاس · 尺码 · 👩‍🚀"),
    ],
)
def test_control_characters_are_written_out_and_letters_stay(text: str, written: str) -> None:
    assert harmless(text) == written
    assert harmless(written) == written


def test_the_lines_of_a_message_stay_where_they_are_its_own() -> None:
    assert harmless("one\ntwo\x07", lines=True) == "one\ntwo\\x07"


def test_json_says_what_it_said() -> None:
    value = {"title": "\x1b[31m\x9b \u202e \x7f \ud83d\n", "list": [1, "\u2029"]}
    document = harmless_json(json.dumps(value, ensure_ascii=False, indent=2))
    assert json.loads(document) == value
    assert not set(document) & set("\x1b\x9b\u202e\x7f\ud83d\u2029") and document.count("\n") > 3
