"""A metric over the values of one of VIRAL's parameters, with intervals, as inline SVG."""

import math
from collections.abc import Sequence

from markupsafe import Markup

from viral.base.language import _
from viral.lab.report.chart_sections import Sweep, SweepPoint
from viral.lab.report.figures.axes import CHAR_WIDTH, Axes, Point, Size, polyline, room_for, stretches, ticks
from viral.lab.report.figures.svg import drawing, element
from viral.lab.report.values import Estimate
from viral.lab.report.wording import fixed, shown

CAP = 5  # half the width of a whisker's foot
SIZES: dict[Size, tuple[int, int]] = {"wide": (720, 300), "narrow": (350, 260)}


def sweep_chart(sweep: Sweep, *, key: str, size: Size = "wide") -> Markup:
    """Points at equal distances joined by a line, whiskers for their intervals, a level line for the baseline.

    ``key`` makes the ids of title and description unique on the page. Nothing finite to draw gives empty markup.
    """
    if not any(math.isfinite(point.value.mean) for point in sweep.points):
        return Markup("")
    width, height = SIZES[size]
    marks = tuple(_marks(sweep))
    ends = (-0.5, len(sweep.points) - 0.5)  # half a step of room beside the first and the last point
    axes = Axes(left=room_for(marks), right=width - 16, top=12, bottom=height - 42, xs=ends, ys=marks)
    room = max(3, int((axes.x(1) - axes.x(0)) / CHAR_WIDTH))
    labels = [(place, shown(point.label, room)) for place, point in enumerate(sweep.points)]
    name = shown(sweep.parameter, 40)
    return drawing(
        [
            *axes.vertical(),
            *axes.horizontal(labels, name, style="tick middle parameter"),
            *_baseline(sweep, axes),
            *_measured(sweep.points, axes),
        ],
        key=key,
        title=_("%(metric)s by %(parameter)s", metric=shown(sweep.quantity, 24), parameter=name),
        description=_description(sweep.points),
        size=SIZES[size],
        classes=f"lines {size}",
    )


def _marks(sweep: Sweep) -> list[float]:
    """Ticks that span every mean, interval and the baseline."""
    estimates = [point.value for point in sweep.points] + ([sweep.baseline] if sweep.baseline is not None else [])
    ends = [end for e in estimates for end in (e.mean, *(e.bounds or ())) if math.isfinite(end)]
    return ticks(min(ends), max(ends), 4)


def _baseline(sweep: Sweep, axes: Axes) -> list[Markup]:
    if sweep.baseline is None or not math.isfinite(sweep.baseline.mean):
        return []
    y, label = axes.y(sweep.baseline.mean), shown(sweep.baseline_label, 24)
    return [
        element("line", class_="zero baseline", x1=axes.left, x2=axes.right, y1=y, y2=y),
        element("text", label, class_="tick end", x=axes.right, y=y - 5),
    ]


def _measured(points: Sequence[SweepPoint], axes: Axes) -> list[Markup]:
    means = [point.value.mean for point in points]
    places = [(axes.x(i), axes.y(mean)) if math.isfinite(mean) else None for i, mean in enumerate(means)]
    runs = stretches(places, lambda place: place is not None)
    shapes = [polyline([place for place in run if place], "line main") for run in runs if len(run) > 1]
    for place, point in zip(places, points, strict=True):
        if place is not None:
            shapes += _point(place, point, [axes.y(end) for end in point.value.seeds or point.value.bounds or ()])
    return shapes


def _point(place: Point, point: SweepPoint, ends: Sequence[float]) -> list[Markup]:
    """One value: its interval, or a dot at each of few seeds; the highlighted one is ringed."""
    x, y = place
    if point.value.seeds:
        shapes = [element("circle", class_="seed", cx=x, cy=end, r=3) for end in ends]
    else:
        shapes = [element("line", class_="whisker", x1=x, x2=x, y1=ends[0], y2=ends[1])] if ends else []
        shapes += [element("line", class_="whisker", x1=x - CAP, x2=x + CAP, y1=end, y2=end) for end in ends]
    if point.highlight:
        shapes.append(element("circle", class_="ring main", cx=x, cy=y, r=8))
    return [*shapes, element("circle", class_="dot main", cx=x, cy=y, r=4.5)]


def _description(points: Sequence[SweepPoint]) -> str:
    return "; ".join(f"{shown(point.label, 24)}: {_said(point.value)}" for point in points) + "."


def _said(value: Estimate) -> str:
    if value.bounds is None:
        return fixed(value.mean)
    low, high = map(fixed, value.bounds)
    return f"{fixed(value.mean)} ({_('%(low)s to %(high)s', low=low, high=high)})"
