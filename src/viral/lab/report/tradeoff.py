"""What a metric costs, as inline SVG: one labelled point a model over time on a logarithmic axis."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal, TypeAlias

from markupsafe import Markup

from viral.base.language import _, marked
from viral.lab.report.svg import columns, element, tick_labels, ticks
from viral.lab.report.values import Estimate
from viral.lab.report.wording import duration, fixed, named, shown

CHAR_WIDTH, LINE = 6.9, 15  # of a label, at the font size of the style sheet
BOLD = 1.15  # how much wider VIRAL's is
OVER, IN = marked("%(metric)s over %(cost)s"), marked("%(name)s: %(value)s in %(time)s")  # what who listens is told
NEAR = 14  # a name whose box ends further from its point than this has a leader to it
SIZES: dict[str, tuple[int, int]] = {"wide": (720, 380), "narrow": (350, 380)}
Size: TypeAlias = Literal["wide", "narrow"]
Box: TypeAlias = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeoffPoint:
    """One model: what it took and what it reaches."""

    label: str
    seconds: float
    value: Estimate

    @property
    def drawable(self) -> bool:
        return self.seconds > 0 and math.isfinite(self.seconds) and math.isfinite(self.value.mean)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tradeoff:
    """Points over seconds; up is better, left is cheaper. Those without a time or a value are left out.

    Intervals are not drawn: those of a few seeds would set the scale, and they stand in the ranking.
    """

    heading: str
    points: tuple[TradeoffPoint, ...]
    quantity: str  # the vertical axis: "recall@20"
    cost: str  # the horizontal axis: "training time of one seed"
    caption: str = ""
    intro: str = ""


@dataclass(frozen=True, slots=True)
class _Plot:
    left: float
    right: float
    top: float
    bottom: float
    xs: tuple[float, ...]  # seconds; the first and last are the ends of the axis
    ys: tuple[float, ...]

    def x(self, seconds: float) -> float:
        low, high = self.xs[0], self.xs[-1]
        return self.left + math.log(seconds / low) / math.log(high / low) * (self.right - self.left)

    def y(self, value: float) -> float:
        return self.bottom - (value - self.ys[0]) / (self.ys[-1] - self.ys[0]) * (self.bottom - self.top)


def tradeoff_chart(
    section: Tradeoff, *, key: str, size: Size = "wide", tone: Callable[[str], str] = lambda _: "tone-1"
) -> Markup:
    """The chart; ``key`` makes the ids of title and description unique. Nothing to draw gives empty markup."""
    points = [point for point in section.points if point.drawable]
    if not points:
        return Markup("")
    width, height = SIZES[size]
    plot = _plot(points, width, height)
    places = [(plot.x(point.seconds), plot.y(point.value.mean)) for point in points]
    return element(
        "svg",
        element("title", _(OVER, metric=shown(section.quantity, 24), cost=shown(section.cost, 60)), id=f"{key}-title"),
        element("desc", _description(points), id=f"{key}-desc"),
        *_axes(plot, section.cost),
        *_labels(points, places, plot, tone),
        *(
            element("circle", class_=f"dot {tone(point.label)}", cx=x, cy=y, r=5)
            for point, (x, y) in zip(points, places, strict=True)
        ),
        class_=f"lines {size}",
        viewBox=f"0 0 {width} {height}",
        role="img",
        aria_labelledby=f"{key}-title {key}-desc",
    )


def _plot(points: Sequence[TradeoffPoint], width: float, height: float) -> _Plot:
    means = [point.value.mean for point in points]
    marks = ticks(min(means), max(means), 5)
    times = [point.seconds for point in points]
    left = 10 + CHAR_WIDTH * max(map(len, tick_labels(marks)))
    xs = _round_seconds(min(times), max(times), 7 if width > 500 else 5)
    return _Plot(left, width - 24, 12, height - 44, tuple(xs), tuple(marks))


def _round_seconds(low: float, high: float, most: int) -> list[float]:
    """1, 2 and 5 times powers of ten from at or below ``low`` to above ``high``; powers alone where those are many."""
    first, last = math.floor(math.log10(low)), math.floor(math.log10(high)) + 1
    fine = [factor * 10.0**power for power in range(first, last + 1) for factor in (1, 2, 5)]
    start = max(index for index, mark in enumerate(fine) if mark <= low * (1 + 1e-9))
    stop = min(index for index, mark in enumerate(fine) if mark > high)
    chosen = fine[start : stop + 1]
    return chosen if len(chosen) <= most else [10.0**power for power in range(first, last + 1)]


def _axes(plot: _Plot, cost: str) -> list[Markup]:
    shapes = []
    for value, label in zip(plot.ys, tick_labels(plot.ys), strict=True):
        y = plot.y(value)
        shapes.append(element("line", class_="grid", x1=plot.left, x2=plot.right, y1=y, y2=y))
        shapes.append(element("text", label, class_="tick end", x=plot.left - 7, y=y + 4))
    for seconds in plot.xs:
        x, label = plot.x(seconds), f"{seconds:,g}\u00a0s"
        shapes.append(element("line", class_="grid", x1=x, x2=x, y1=plot.top, y2=plot.bottom))
        shapes.append(element("text", label, class_="tick middle", x=x, y=plot.bottom + 18))
    middle = (plot.left + plot.right) / 2
    return [*shapes, element("text", shown(cost, 60), class_="tick middle", x=middle, y=plot.bottom + 37)]


def _labels(
    points: Sequence[TradeoffPoint], places: Sequence[tuple[float, float]], plot: _Plot, tone_of: Callable[[str], str]
) -> list[Markup]:
    """Each point's name beside it, where it covers the least of the other points and names."""
    taken: list[Box] = [(x - 6, y - 6, x + 6, y + 6) for x, y in places]
    shapes = []
    for index in sorted(range(len(points)), key=lambda i: places[i]):
        (x, y), label, tone = places[index], named(points[index].label, 18), tone_of(points[index].label)
        width = CHAR_WIDTH * columns(label) * (BOLD if tone == "main" else 1)
        found = min(_candidates(x, y, width), key=lambda box: _cost(box, taken, plot))
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


def _cost(box: Box, taken: Sequence[Box], plot: _Plot) -> float:
    """The area that is covered already, and far more for what lies outside the plot."""
    covered = sum(
        max(0.0, min(box[2], other[2]) - max(box[0], other[0]))
        * max(0.0, min(box[3], other[3]) - max(box[1], other[1]))
        for other in taken
    )
    outside = sum(max(0.0, excess) for excess in (plot.left - box[0], box[2] - plot.right - 20, plot.top - 8 - box[1],
                                                  box[3] - plot.bottom - 8))  # fmt: skip
    return covered + 1000 * outside


def _description(points: Sequence[TradeoffPoint]) -> str:
    said = (
        _(IN, name=named(point.label, 24), value=fixed(point.value.mean), time=duration(point.seconds))
        for point in points
    )
    return "; ".join(said) + "."
