"""How product photos' descriptions are judged: by the catalogue's labels, each rule able to fail."""

import numpy as np
import pytest
from bench.neighbourhood import alike
from bench.photos import colours, main_colour, pattern_said, patterns

ROWS = [
    {"item_id": "a", "colour_master": "Blue", "pattern": "Solid"},
    {"item_id": "b", "colour_master": "Khaki green", "pattern": "Stripe"},
    {"item_id": "c", "colour_master": "Metal", "pattern": "All over pattern"},
    {"item_id": "d", "colour_master": "Blue", "pattern": "Dot"},
]


@pytest.mark.parametrize(
    ("text", "colour", "pattern"),
    [
        ("The item is dark blue with some white.", "blue", ""),
        ("The item is khaki green.", "green", ""),
        ("The item is plain black.", "black", "plain"),
        ("The item is beige and black with an all-over print.", "beige", "all-over print"),
        ("It comes with the printed words “PLAIN striped”.", "nothing", ""),
    ],
)
def test_what_a_text_says(text, colour, pattern):
    assert (main_colour(text), pattern_said(text)) == (colour, pattern)


def test_colours_are_judged_where_the_catalogue_has_one():
    found = colours(ROWS, ["dark blue", "khaki green", "grey", "black and blue"])
    assert found["photos"] == 3 and found["right"] == pytest.approx(2 / 3)
    assert found["halves"] == [1.0, 0.5]
    assert found["by_colour"]["Blue"] == {"right": 0.5, "photos": 2, "instead": {"black": 1}}


def test_patterns_have_precision_and_recall_without_what_is_plain():
    found = patterns(ROWS, ["plain blue", "horizontally striped in green", "grey", "blue with an all-over print"])
    assert (found["said"], found["precision"]) == (2, 0.5)
    assert (found["there"], found["recall"]) == (3, pytest.approx(2 / 3))
    assert found["plain"] == {"said": 1, "precision": 1.0}


def test_neighbours_of_the_own_kind_are_counted():
    values = np.array([[1, 0], [1, 0.1], [0, 1], [0.1, 1]], dtype=np.float32)
    assert alike(values, ["x", "x", "y", "y"], nearest=1) == 1
    assert alike(values, ["x", "y", "x", "y"], nearest=1) == 0
