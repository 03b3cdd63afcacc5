from itertools import pairwise

import pytest

from viral.lab.report.figures.line_chart import ChartLine, line_chart

POINTS = tuple((float(epoch), 0.02 * epoch * (7 - epoch)) for epoch in range(1, 7))


def number(text):
    return float(text.replace("−", "-").replace(",", ""))


def axis(svg, where):
    """Tick label → coordinate, as a reader with a ruler would take it off the drawing."""
    at = "y" if where == "end" else "x"
    marks = [text for text in svg.all("text", class_="tick") if where in text.attributes["class"].split()]
    return [(number(text.text), float(text.attributes[at])) for text in marks if text.text != "epoch"]


def scale(marks, offset=0.0):
    (low, start), (high, stop) = marks[0], marks[-1]
    return lambda place: low + (place - offset - start) / (stop - start) * (high - low)


def read_off(svg, polyline):
    x, y = scale(axis(svg, "middle")), scale(axis(svg, "end"), -4)
    pairs = [pair.split(",") for pair in polyline.attributes["points"].split()]
    return [(x(float(left)), y(float(top))) for left, top in pairs]


@pytest.mark.parametrize("size", ["wide", "narrow", "small"])
def test_the_points_can_be_read_off_the_axes(parse, size):
    svg = parse(line_chart([ChartLine(label="a", points=POINTS, tone="main")], key="k", title="T", size=size)).one(
        "svg"
    )
    assert all(after[1] > before[1] for before, after in pairwise(axis(svg, "middle"))), "later is further right"
    assert all(after[1] < before[1] for before, after in pairwise(axis(svg, "end"))), "more is higher"
    read = read_off(svg, svg.one("polyline", class_="line"))
    assert [x for x, _ in read] == pytest.approx([x for x, _ in POINTS], abs=0.05)
    assert [y for _, y in read] == pytest.approx([y for _, y in POINTS], abs=0.002)


def test_the_pages_curves_are_the_data(page, report):
    svg = page.one(id="section-2").one("svg", class_="wide")
    drawn = {line.attributes["class"].split()[1]: read_off(svg, line) for line in svg.all("polyline", class_="line")}
    curves = report.sections[1].curves
    assert [y for _, y in drawn["main"]] == pytest.approx(curves[0].valid, abs=0.001)
    assert [x for x, _ in drawn["tone-1"]] == pytest.approx(curves[1].epochs, abs=0.05)
    assert [node.text for node in svg.all("text", class_="name")] == ["VIRAL", "LightGCN"]
    losses = page.all("svg", class_="small")
    read = [read_off(small, small.one("polyline", class_="line")) for small in losses]
    assert [[y for _, y in line] for line in read] == [pytest.approx(curve.loss, abs=0.03) for curve in curves]


def test_everything_lies_inside_the_view_box_and_labels_do_not_overlap(parse):
    lines = [ChartLine(label=f"model {n}", points=((1, 0.5), (40, 0.5 + n / 1000)), tone="tone-1") for n in range(8)]
    svg = parse(line_chart(lines, key="k", title="T")).one("svg")
    _, _, width, height = (float(word) for word in svg.attributes["viewbox"].split())
    for node in svg.all():
        for name, limit in (("x", width), ("x2", width), ("cx", width), ("y", height), ("y2", height), ("cy", height)):
            assert 0 <= float(node.attributes.get(name, 0)) <= limit
    places = sorted(float(text.attributes["y"]) for text in svg.all("text", class_="name"))
    assert min(after - before for before, after in pairwise(places)) >= 13


def test_a_gap_splits_a_line_and_a_lone_point_is_a_dot(parse):
    nan = float("nan")
    points = ((1, 0.1), (2, 0.2), (3, nan), (4, 0.3), (5, nan), (6, 0.1), (7, 0.2))
    svg = parse(line_chart([ChartLine(label="a", points=points, tone="tone-1")], key="k", title="T", size="small")).one(
        "svg"
    )
    lines = svg.all("polyline", class_="line")
    assert [len(line.attributes["points"].split()) for line in lines] == [2, 2]
    assert len(svg.all("circle", class_="dot")) == 1


def test_the_kept_epoch_is_ringed_where_it_lies(parse):
    svg = parse(line_chart([ChartLine(label="a", points=POINTS, tone="main", ring=3.0)], key="k", title="T")).one("svg")
    ring = svg.one("circle", class_="ring")
    x, y = scale(axis(svg, "middle")), scale(axis(svg, "end"), -4)
    assert x(float(ring.attributes["cx"])) == pytest.approx(3, abs=0.05)
    assert y(float(ring.attributes["cy"])) == pytest.approx(dict(POINTS)[3.0], abs=0.002)


def test_title_and_description_say_what_is_drawn(parse):
    svg = parse(line_chart([ChartLine(label="a<b", points=POINTS, tone="main")], key="k", title="Recall & co")).one(
        "svg"
    )
    assert svg.attributes["role"] == "img" and svg.attributes["aria-labelledby"] == "k-title k-desc"
    assert svg.one("title").text == "Recall & co"
    assert svg.one("desc").text == "a<b: from 0.12 at epoch 1 to 0.12 at epoch 6, at most 0.24."


def test_nothing_finite_is_no_chart():
    assert line_chart([ChartLine(label="a", points=((1, float("nan")),), tone="main")], key="k", title="T") == ""
