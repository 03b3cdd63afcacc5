import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from viral.lab.report.figures.axes import spread, tick_labels, ticks
from viral.lab.report.figures.svg import element

numbers = st.floats(-1e9, 1e9).filter(lambda value: value == 0 or abs(value) > 1e-9)


@given(numbers, numbers, st.booleans())
def test_ticks_are_round_even_and_cover_the_data(first, second, whole):
    low, high = sorted((first, second))
    marks = ticks(low, high, 4, whole=whole)
    slack = 1e-6 * max(1e-9, marks[-1] - marks[0])
    assert marks[0] <= low + slack and marks[-1] >= high - slack
    steps = [after - before for before, after in pairwise(marks)]
    assert 2 <= len(marks) <= 9 and steps == pytest.approx([steps[0]] * len(steps), rel=1e-6)
    digits = steps[0] / 10 ** math.floor(math.log10(steps[0] * (1 + 1e-9)))
    if high - low > 1e-6 * abs(high):
        assert min(abs(digits - wanted) for wanted in (1, 2, 2.5, 5, 10)) < 1e-3
    if whole:
        assert all(mark == int(mark) for mark in marks if abs(mark) < 2**50)


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ((0.0, 0.05, 0.1), ["0.00", "0.05", "0.10"]),
        ((0.0, 0.025), ["0.000", "0.025"]),
        ((-20.0, 0.0, 20.0), ["−20", "0", "20"]),
        ((0.0, 2000.0), ["0", "2,000"]),
        ((0.0, 2e38), ["0", "2e+38"]),
    ],
)
def test_tick_labels_have_no_more_decimals_than_they_need(values, labels):
    assert tick_labels(values) == labels


@given(st.lists(st.floats(0, 100), min_size=1, max_size=12), st.floats(1, 20))
def test_spread_labels_keep_apart_in_order_and_in_bounds(wanted, gap):
    places = spread(wanted, gap, 0, 100)
    assert all(-1e-6 <= place <= 100 + 1e-6 for place in places)
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    room = min(gap, 100 / max(1, len(wanted) - 1))
    for before, after in pairwise(order):
        assert places[after] - places[before] >= room - 1e-6


def test_labels_with_room_stay_where_they_are():
    assert spread([80, 10, 50], 5, 0, 100) == [80, 10, 50]


def test_an_element_escapes_its_texts_and_attributes():
    made = element("text", "<b>&", Markup("<i></i>"), class_='a"b', stroke_width=1.5, x=2.0, y=1 / 3)
    assert made == '<text class="a&#34;b" stroke-width="1.5" x="2" y="0.33">&lt;b&gt;&amp;<i></i></text>'
