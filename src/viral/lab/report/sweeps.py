"""A metric over the values of one of VIRAL's parameters, with intervals, as inline SVG."""

import math
from collections.abc import Sequence
from typing import Literal, TypeAlias

from markupsafe import Markup

from viral.base.language import _
from viral.lab.report.charts import Frame
from viral.lab.report.svg import element, tick_labels, ticks
from viral.lab.report.tables import Sweep, SweepPoint
from viral.lab.report.values import Estimate
from viral.lab.report.wording import fixed, shown

CHAR_WIDTH = 6.9  # of a tick label
CAP = 5  # half the width of a whisker's foot
SIZES: dict[str, tuple[int, int]] = {"wide": (720, 300), "narrow": (350, 260)}
Size: TypeAlias = Literal["wide", "narrow"]


def sweep_chart(sweep: Sweep, *, key: str, size: Size = "wide") -> Markup:
    """Points at equal distances joined by a line, whiskers for their intervals, a level line for the baseline.

    ``key`` makes the ids of title and description unique on the page. Nothing finite to draw gives empty markup.
    """
    if not any(math.isfinite(point.value.mean) for point in sweep.points):
        return Markup("")
    width, height = SIZES[size]
    marks = _marks(sweep)
    left = 10 + CHAR_WIDTH * max(map(len, tick_labels(marks)))
    ends = (-0.5, len(sweep.points) - 0.5)  # half a step of room beside the first and the last point
    frame = Frame(left, width - 16, 12, height - 42, ends, tuple(marks))
    title = _("%(metric)s by %(parameter)s", metric=shown(sweep.quantity, 24), parameter=shown(sweep.parameter, 40))
    return element(
        "svg",
        element("title", title, id=f"{key}-title"),
        element("desc", _description(sweep.points), id=f"{key}-desc"),
        *_axes(sweep, frame),
        *_baseline(sweep, frame),
        *_measured(sweep.points, frame),
        class_=f"lines {size}",
        viewBox=f"0 0 {width} {height}",
        role="img",
        aria_labelledby=f"{key}-title {key}-desc",
    )


def _marks(sweep: Sweep) -> list[float]:
    """Ticks that span every mean, interval and the baseline."""
    estimates = [point.value for point in sweep.points] + ([sweep.baseline] if sweep.baseline is not None else [])
    ends = [end for e in estimates for end in (e.mean, *(e.bounds or ())) if math.isfinite(end)]
    return ticks(min(ends), max(ends), 4)


def _axes(sweep: Sweep, frame: Frame) -> list[Markup]:
    shapes = []
    for mark, label in zip(frame.ys, tick_labels(frame.ys), strict=True):
        y = frame.y(mark)
        shapes.append(element("line", class_="grid", x1=frame.left, x2=frame.right, y1=y, y2=y))
        shapes.append(element("text", label, class_="tick end", x=frame.left - 7, y=y + 4))
    room = max(3, int((frame.x(1) - frame.x(0)) / CHAR_WIDTH))
    for index, point in enumerate(sweep.points):
        label = shown(point.label, room)
        shapes.append(element("text", label, class_="tick middle", x=frame.x(index), y=frame.bottom + 18))
    middle = (frame.left + frame.right) / 2
    name = shown(sweep.parameter, 40)
    return [*shapes, element("text", name, class_="tick middle parameter", x=middle, y=frame.bottom + 36)]


def _baseline(sweep: Sweep, frame: Frame) -> list[Markup]:
    if sweep.baseline is None or not math.isfinite(sweep.baseline.mean):
        return []
    y, label = frame.y(sweep.baseline.mean), shown(sweep.baseline_label, 24)
    return [
        element("line", class_="zero baseline", x1=frame.left, x2=frame.right, y1=y, y2=y),
        element("text", label, class_="tick end", x=frame.right, y=y - 5),
    ]


def _measured(points: Sequence[SweepPoint], frame: Frame) -> list[Markup]:
    means = [point.value.mean for point in points]
    places = [(frame.x(i), frame.y(mean)) if math.isfinite(mean) else None for i, mean in enumerate(means)]
    shapes = [_path(run) for run in _runs(places) if len(run) > 1]
    for place, point in zip(places, points, strict=True):
        if place is not None:
            shapes += _point(place, point, [frame.y(end) for end in point.value.seeds or point.value.bounds or ()])
    return shapes


def _runs(places: Sequence[tuple[float, float] | None]) -> list[list[tuple[float, float]]]:
    """The places cut into stretches at every value that is missing."""
    stretches: list[list[tuple[float, float]]] = [[]]
    for place in places:
        if place is not None:
            stretches[-1].append(place)
        elif stretches[-1]:
            stretches.append([])
    return stretches


def _path(run: Sequence[tuple[float, float]]) -> Markup:
    return element("polyline", class_="line main", points=" ".join(f"{x:.2f},{y:.2f}" for x, y in run))


def _point(place: tuple[float, float], point: SweepPoint, ends: Sequence[float]) -> list[Markup]:
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
