import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viral.lab.report.wording import BIDI_CONTROLS, duration, fixed, named, percent, score, seeds, shown, whole


@given(st.text(alphabet=st.characters(), max_size=300), st.integers(2, 60))
def test_shown_text_is_short_writable_and_on_one_line(text, limit):
    line = shown(text, limit)
    assert len(line) <= limit
    line.encode("utf-8")
    assert not set(line) & BIDI_CONTROLS
    assert not [char for char in line if unicodedata.category(char) == "Cc"]


@pytest.mark.parametrize("text", ["plain words", "ö ñ", "نص عربي", "שלום", "👍🏽 👩‍👧", "<b>&amp;</b>", "ภาษาไทย"])
def test_ordinary_text_is_left_alone(text):
    assert shown(text, 60) == text


def test_a_cut_falls_between_words_or_inside_a_long_one():
    assert shown("one two three", 10) == "one two…"
    assert shown("x" * 100, 30) == "x" * 29 + "…"
    assert shown("word " * 50_000, 12) == "word word…"


def test_a_cut_does_not_tear_what_is_drawn_together():
    family = "👩‍👩‍👧‍👦"
    assert shown(family * 3, 9) == family + "…"
    assert shown("ab" + "e\u0301" * 10, 4) == "ab…"
    assert shown("abc👍🏽👍🏽👍🏽", 5) == "abc…"


def test_towers_of_marks_are_lowered():
    assert shown("Z" + "\u0335" * 50 + "a", 100) == "Z" + "\u0335" * 4 + "a"


def test_spaces_are_joined_and_controls_become_spaces():
    assert shown("a\x00b\r\n\t c\u2028d", 20) == "a b c d"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.12345, "0.1235"), (-1.5, "−1.5000"), (-0.00001, "0.0000"), (12345.0, "12,345.0000"), (None, "–")],
)
def test_fixed(value, text):
    assert fixed(value) == text
    assert fixed(float("nan")) == fixed(float("inf")) == "–"


def test_signs_percent_scores_and_counts():
    assert fixed(0.5, 1, signed=True) == "+0.5" and fixed(0.0, 1, signed=True) == "0.0"
    assert percent(0.1234) == "12.3\u00a0%" and percent(-0.05, 0, signed=True) == "−5\u00a0%" and percent(None) == "–"
    assert [score(value) for value in (1.23456, -23.456, 1234.56)] == ["1.235", "−23.46", "1,234.6"]
    assert whole(1234567) == "1,234,567" and whole(None) == "–" and whole(0) == "0"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (59.7, "60 s"),
        (125, "2 min 5 s"),
        (7500, "2 h 5 min"),
        (None, "–"),
        (float("nan"), "–"),
    ],
)
def test_duration(seconds, text):
    assert duration(seconds).replace("\u00a0", " ") == text


def test_seeds():
    assert [seeds(values) for values in ((7,), (1, 2, 3), (3, 1), ())] == [
        "seed 7",
        "seeds 1–3",
        "seeds 3, 1",
        "no seed",
    ]


def test_a_long_name_keeps_both_ends():
    name = "our-recommender-with-a-very-long-name-variant-07"
    cut = named(name, 24)
    assert len(cut) <= 24 and cut.startswith("our-rec") and cut.endswith("iant-07") and "…" in cut
    assert named(name[:-1] + "8", 24) != cut and named("viral", 24) == "viral"
    assert "\u202e" not in named("a\u202eb" * 40, 20) and len(named("é" * 100, 20)) <= 20
