"""A sweep's drawing, read off with a ruler."""

from itertools import pairwise

import pytest

from viral.lab.report import Estimate, Sweep, SweepPoint
from viral.lab.report.figures.sweep_chart import sweep_chart

NAN = float("nan")
ALIGNMENT = Sweep(
    heading="Alignment",
    parameter="λ",
    quantity="recall@20",
    points=(
        SweepPoint(label="0", value=Estimate(0.1, 0.08, 0.13)),
        SweepPoint(label="0.001", value=Estimate(0.2)),
        SweepPoint(label="0.1", value=Estimate(0.15, 0.14, 0.16), highlight=True),
    ),
    baseline=Estimate(0.05),
    baseline_label="LightGCN",
)


def number(text):
    return float(text.replace("−", "-").replace(",", ""))


def height_scale(svg):
    """A function from a place on the drawing to the value that stands beside it."""
    ticks = [mark for mark in svg.all("text", class_="end") if mark.text != "LightGCN"]
    marks = [(number(mark.text), float(mark.attributes["y"]) - 4) for mark in ticks]
    (low, start), (high, stop) = marks[0], marks[-1]
    return lambda place: low + (float(place) - start) / (stop - start) * (high - low)


def sweep(*values, **more):
    return Sweep(
        heading="S", parameter="k", quantity="q", points=tuple(SweepPoint(label=str(n), value=v)
        for n, v in enumerate(values)), **more,
    )  # fmt: skip


@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_means_intervals_and_baseline_can_be_read_off(parse, size):
    svg = parse(sweep_chart(ALIGNMENT, key="k", size=size)).one("svg")
    value = height_scale(svg)
    assert [value(dot.attributes["cy"]) for dot in svg.all("circle", class_="dot")] == pytest.approx(
        [0.1, 0.2, 0.15], abs=1e-3
    )
    upright = [w for w in svg.all("line", class_="whisker") if w.attributes["x1"] == w.attributes["x2"]]
    ends = [value(whisker.attributes[y]) for whisker in upright for y in ("y1", "y2")]
    assert ends == pytest.approx([0.08, 0.13, 0.14, 0.16], abs=1e-3), "a point without an interval has no whisker"
    assert value(svg.one("line", class_="baseline").attributes["y1"]) == pytest.approx(0.05, abs=1e-3)
    assert {dot.attributes["class"] for dot in svg.all("circle", class_="dot")} == {"dot main"}, "it is VIRAL's"
    assert value(svg.one("circle", class_="ring").attributes["cy"]) == pytest.approx(0.15, abs=1e-3)


@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_values_stand_at_equal_distances_above_their_labels(parse, size):
    svg = parse(sweep_chart(ALIGNMENT, key="k", size=size)).one("svg")
    labels = [text for text in svg.all("text", class_="middle") if "parameter" not in text.attributes["class"]]
    assert [label.text for label in labels] == ["0", "0.001", "0.1"]
    places = [float(dot.attributes["cx"]) for dot in svg.all("circle", class_="dot")]
    assert [float(label.attributes["x"]) for label in labels] == pytest.approx(places)
    steps = [after - before for before, after in pairwise(places)]
    assert steps[0] == pytest.approx(steps[1], abs=0.02) and steps[0] > 0
    assert svg.one("text", class_="parameter").text == "λ"


def test_a_value_that_was_not_measured_parts_the_line(parse):
    svg = parse(sweep_chart(sweep(*(Estimate(v) for v in (0.1, 0.2, NAN, 0.3, NAN, 0.2, 0.1))), key="k")).one("svg")
    lines = svg.all("polyline", class_="line")
    assert [len(line.attributes["points"].split()) for line in lines] == [2, 2]
    assert len(svg.all("circle")) == 5


def test_nothing_measured_is_no_chart():
    assert sweep_chart(sweep(Estimate(NAN)), key="k") == ""
    assert sweep_chart(sweep(), key="k") == ""


def test_one_point_and_an_infinite_baseline_are_drawn(parse):
    chart = sweep_chart(sweep(Estimate(0.2), baseline=Estimate(float("inf"))), key="k")
    svg = parse(chart).one("svg")
    assert len(svg.all("circle")) == 1 and not svg.all("line", class_="baseline")


def test_the_description_says_the_numbers(parse):
    svg = parse(sweep_chart(ALIGNMENT, key="k")).one("svg")
    assert svg.attributes["aria-labelledby"] == "k-title k-desc"
    assert svg.one("title").text == "recall@20 by λ"
    expected = "0: 0.1000 (0.0800 to 0.1300); 0.001: 0.2000; 0.1: 0.1500 (0.1400 to 0.1600)."
    assert svg.one("desc").text == expected


def test_the_page_has_the_numbers_in_a_table_too(page, report):
    number = [section.heading for section in report.sections].index("Neighbours") + 1
    section = page.one(id=f"section-{number}")
    cells = [[cell.text for cell in row.all("td")] for row in section.one("tbody").all("tr")]
    assert cells == [["0.1700", "0.1600 to 0.1800"], ["0.2000", "0.1900 to 0.2100"], ["0.1800", "–"]]
    assert "LightGCN" in section.text and "Means of three seeds." in section.text


def test_few_seeds_are_dots_and_no_whisker(parse):
    svg = parse(sweep_chart(sweep(Estimate(0.2, 0.1, 0.3, (0.1, 0.3)), Estimate(0.25)), key="k")).one("svg")
    value = height_scale(svg)
    assert not svg.all("line", class_="whisker")
    assert [value(dot.attributes["cy"]) for dot in svg.all("circle", class_="seed")] == pytest.approx(
        [0.1, 0.3], abs=1e-3
    )
