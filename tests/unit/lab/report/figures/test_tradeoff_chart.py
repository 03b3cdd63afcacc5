from itertools import combinations

import pytest

from viral.lab.report import Estimate, Tradeoff, TradeoffPoint
from viral.lab.report.figures.axes import CHAR_WIDTH
from viral.lab.report.figures.tradeoff_chart import SIZES, tradeoff_chart


def drawn(parse, points, size="wide"):
    made = [TradeoffPoint(label=label, seconds=seconds, value=value) for label, seconds, value in points]
    section = Tradeoff(heading="H", points=tuple(made), quantity="recall@20", cost="training time")
    return parse(tradeoff_chart(section, key="k", size=size))


def ticks(svg, where):
    at = "y" if where == "end" else "x"
    marks = [text for text in svg.all("text", class_="tick") if where in text.attributes["class"].split()]
    words = [(text.text.replace(" s", "").replace(",", ""), text.attributes[at]) for text in marks]
    return [(float(word), float(place)) for word, place in words if word != "training time"]


@pytest.mark.parametrize("size", list(SIZES))
def test_the_points_can_be_read_off_the_axes(parse, size):
    points = [("a", 0.2, Estimate(0.1)), ("b", 40.0, Estimate(0.3)), ("c", 2000.0, Estimate(0.25))]
    svg = drawn(parse, points, size)
    (x0, left), (x1, right) = ticks(svg, "middle")[0], ticks(svg, "middle")[-1]
    (y0, low), (y1, high) = ticks(svg, "end")[0], ticks(svg, "end")[-1]
    for (_, seconds, value), dot in zip(points, svg.all("circle"), strict=True):
        share = (float(dot.attributes["cx"]) - left) / (right - left)
        assert x0 * (x1 / x0) ** share == pytest.approx(seconds, rel=0.01)
        read = y0 + (float(dot.attributes["cy"]) + 4 - low) / (high - low) * (y1 - y0)
        assert read == pytest.approx(value.mean, abs=0.002)


def test_intervals_do_not_set_the_scale(parse):
    svg = drawn(parse, [("a", 1.0, Estimate(0.2, -1.0, 3.0)), ("b", 5.0, Estimate(0.3))])
    assert (ticks(svg, "end")[0][0], ticks(svg, "end")[-1][0]) == (0.2, 0.3)
    assert svg.one("desc").text == "a: 0.2000 in 1.0 s; b: 0.3000 in 5.0 s."


@pytest.mark.parametrize(
    ("seconds", "ends"),
    [((0.3, 4.0), (0.2, 5)), ((1.0, 1.0), (1, 2)), ((2.0, 5.0), (2, 10)), ((0.03, 900), (0.01, 1000))],
)
def test_the_axis_of_time_has_round_ends_around_the_points(parse, seconds, ends):
    svg = drawn(parse, [(str(n), each, Estimate(0.1)) for n, each in enumerate(seconds)])
    marks = [mark for mark, _ in ticks(svg, "middle")]
    assert (marks[0], marks[-1]) == ends and len(marks) <= 7 and marks == sorted(set(marks))


def test_a_name_far_from_its_point_is_led_to_it(parse):
    crowd = [(f"model {n}", 1.0, Estimate(0.3)) for n in range(6)] + [("far", 100.0, Estimate(0.1))]
    svg = drawn(parse, crowd)
    assert svg.all("line", class_="leader") and len(svg.all("text", class_="name")) == 7
    assert not drawn(parse, crowd[-2:]).all("line", class_="leader")


@pytest.mark.parametrize("size", list(SIZES))
def test_names_do_not_cover_each_other_or_leave_the_drawing(parse, size):
    points = [(f"model {n}", 1.0 + 0.2 * n, Estimate(0.3 + 0.004 * (n % 3))) for n in range(8)]
    svg = drawn(parse, points, size)
    boxes = []
    for text in svg.all("text", class_="name"):
        x, y = float(text.attributes["x"]), float(text.attributes["y"])
        boxes.append((x, y - 11, x + CHAR_WIDTH * len(text.text), y + 4))
    width, height = SIZES[size]
    assert min(min(left, top) for left, top, _, _ in boxes) >= 0
    assert all(right <= width and bottom <= height for _, _, right, bottom in boxes)

    def overlap(a, b):
        return max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))

    if size == "wide":
        assert max(overlap(a, b) for a, b in combinations(boxes, 2)) < 40, "less than half a letter"


def test_what_has_no_time_or_no_value_is_left_out(parse):
    svg = drawn(parse, [("a", 0.0, Estimate(0.1)), ("b", float("nan"), Estimate(0.1)), ("c", 2.0, Estimate(0.1))])
    assert len(svg.all("circle")) == 1
    nothing = Tradeoff(heading="H", points=(), quantity="q", cost="c")
    assert tradeoff_chart(nothing, key="k") == ""
