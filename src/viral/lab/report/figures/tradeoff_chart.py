"""What a metric costs, as inline SVG: one labelled point a model over time on a logarithmic axis."""

import math
from collections.abc import Callable, Sequence
from itertools import product
from typing import TypeAlias

from markupsafe import Markup

from viral.base.language import _, marked
from viral.lab.report.chart_sections import Tradeoff, TradeoffPoint
from viral.lab.report.figures.axes import CHAR_WIDTH, Axes, Point, Size, columns, logarithmic_ticks, room_for, ticks
from viral.lab.report.figures.svg import drawing, element
from viral.lab.report.wording import duration, fixed, named, shown

LINE = 15  # height of a label, at the font size of the style sheet
BOLD = 1.15  # how much wider VIRAL's is
OVER, IN = marked("%(metric)s over %(cost)s"), marked("%(name)s: %(value)s in %(time)s")  # what who listens is told
NEAR = 14  # a name whose box ends further from its point than this has a leader to it
SIZES: dict[Size, tuple[int, int]] = {"wide": (720, 380), "narrow": (350, 380)}
Box: TypeAlias = tuple[float, float, float, float]  # left, top, right, bottom


def tradeoff_chart(
    section: Tradeoff, *, key: str, size: Size = "wide", tone: Callable[[str], str] = lambda _: "tone-1"
) -> Markup:
    """The chart; ``key`` makes the ids of title and description unique. Nothing to draw gives empty markup."""
    points = [point for point in section.points if point.drawable]
    if not points:
        return Markup("")
    axes = _axes(points, *SIZES[size])
    places = [(axes.x(point.seconds), axes.y(point.value.mean)) for point in points]
    seconds = [(value, f"{value:,g}\u00a0s") for value in axes.xs]
    cost = shown(section.cost, 60)
    return drawing(
        [
            *axes.vertical(),
            *axes.horizontal(seconds, cost, lines=True),
            *_labels(points, places, axes, tone),
            *(
                element("circle", class_=f"dot {tone(point.label)}", cx=x, cy=y, r=5)
                for point, (x, y) in zip(points, places, strict=True)
            ),
        ],
        key=key,
        title=_(OVER, metric=shown(section.quantity, 24), cost=cost),
        description=_description(points),
        size=SIZES[size],
        classes=f"lines {size}",
    )


def _axes(points: Sequence[TradeoffPoint], width: float, height: float) -> Axes:
    means, times = [point.value.mean for point in points], [point.seconds for point in points]
    ys = tuple(ticks(min(means), max(means), 5))
    xs = tuple(logarithmic_ticks(min(times), max(times), 7 if width > 500 else 5))
    left, bottom = room_for(ys), height - 44
    return Axes(left=left, right=width - 24, top=12, bottom=bottom, xs=xs, ys=ys, logarithmic=True)


def _labels(
    points: Sequence[TradeoffPoint], places: Sequence[Point], axes: Axes, tone_of: Callable[[str], str]
) -> list[Markup]:
    """Each point's name beside it, where it covers the least of the other points and names."""
    taken: list[Box] = [(x - 6, y - 6, x + 6, y + 6) for x, y in places]
    shapes = []
    for index in sorted(range(len(points)), key=lambda i: places[i]):
        (x, y), label, tone = places[index], named(points[index].label, 18), tone_of(points[index].label)
        width = CHAR_WIDTH * columns(label) * (BOLD if tone == "main" else 1)
        found = min(_candidates(x, y, width), key=lambda box: _cost(box, taken, axes))
        taken.append(found)
        edge = (min(max(x, found[0]), found[2]), min(max(y, found[1] + 2), found[3] - 2))
        if math.dist((x, y), edge) > NEAR:
            shapes.append(element("line", class_=f"leader {tone}", x1=x, y1=y, x2=edge[0], y2=edge[1]))
        shapes.append(element("text", label, class_=f"name {tone}", x=found[0], y=found[3] - 4))
    return shapes


def _candidates(x: float, y: float, width: float) -> list[Box]:
    """To the right, to the left, in the middle; at the point's height, above and below it; near ones first."""
    lefts, lifts = (x + 9, x - 9 - width, x - width / 2), [LINE * step for step in (0, -1, 1, -2, 2, -3, 3, -4, 4)]
    boxes = [(left, y + lift - LINE / 2, left + width, y + lift + LINE / 2) for lift, left in product(lifts, lefts)]
    return [box for box in boxes if not (box[0] < x < box[2] and abs(box[1] + LINE / 2 - y) < LINE)]


def _cost(box: Box, taken: Sequence[Box], axes: Axes) -> float:
    """The area that is covered already, and far more for what lies outside the axes."""
    covered = sum(
        max(0.0, min(box[2], other[2]) - max(box[0], other[0]))
        * max(0.0, min(box[3], other[3]) - max(box[1], other[1]))
        for other in taken
    )
    outside = sum(max(0.0, excess) for excess in (axes.left - box[0], box[2] - axes.right - 20, axes.top - 8 - box[1],
                                                  box[3] - axes.bottom - 8))  # fmt: skip
    return covered + 1000 * outside


def _description(points: Sequence[TradeoffPoint]) -> str:
    said = (
        _(IN, name=named(point.label, 24), value=fixed(point.value.mean), time=duration(point.seconds))
        for point in points
    )
    return "; ".join(said) + "."
