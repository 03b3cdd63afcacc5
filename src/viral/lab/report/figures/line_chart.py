"""Line charts as inline SVG, coloured by the page's style sheet through classes, so that they follow light and dark."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from viral.base.language import _
from viral.lab.report.figures.axes import (
    CHAR_WIDTH,
    Axes,
    Point,
    Size,
    columns,
    polyline,
    room_for,
    spread,
    stretches,
    tick_labels,
    ticks,
)
from viral.lab.report.figures.svg import drawing, element
from viral.lab.report.wording import named

LABEL_CHARS: dict[Size, int] = {"wide": 18, "narrow": 10}
SIZES: dict[Size, tuple[int, int]] = {"wide": (720, 330), "narrow": (350, 280), "small": (180, 112)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartLine:
    """One line of a chart: points (x, y), a tone of the style sheet, and the x of a point to be ringed.

    The points of a ``dotted`` one are seen each.
    """

    label: str
    points: tuple[Point, ...]
    tone: str
    ring: float | None = None
    dotted: bool = False

    @property
    def finite(self) -> list[Point]:
        return [point for point in self.points if math.isfinite(point[1])]


def line_chart(lines: Sequence[ChartLine], *, key: str, title: str, size: Size = "wide", across: str = "") -> Markup:
    """Lines over epochs, or over what ``across`` names, labelled at their ends.

    ``key`` makes the ids of title and description unique on the page. ``narrow`` is the same for a telephone, drawn
    anew so that its text stays legible; ``small`` is a multiple for one line, without end labels. Nothing to draw gives
    empty markup.
    """
    drawn = [line for line in lines if line.finite]
    if not drawn:
        return Markup("")
    labels = [named(line.label, LABEL_CHARS[size]) for line in drawn] if size != "small" else []
    axes = _axes(drawn, *SIZES[size], labels)
    across = across or _("epoch")
    order = sorted(drawn, key=lambda line: line.tone == "main")  # VIRAL lies on top
    shapes = axes.vertical()
    shapes += axes.horizontal(zip(axes.xs, tick_labels(axes.xs), strict=True), across if labels else "")
    for line in order:
        shapes += _line(line, axes)
    if labels:
        shapes += _end_labels(drawn, labels, axes)
    description = _description(drawn, across)
    return drawing(shapes, key=key, title=title, description=description, size=SIZES[size], classes=f"lines {size}")


def _axes(lines: Sequence[ChartLine], width: float, height: float, labels: Sequence[str]) -> Axes:
    points = [point for line in lines for point in line.finite]
    xs, ys = [x for x, _ in points], [y for _, y in points]
    fewer = 2 if width < 300 else 1
    y_ticks = tuple(ticks(min(ys), max(ys), 4 // fewer))
    x_ticks = tuple(ticks(min(xs), max(xs), 6 // fewer, whole=True))
    gutter = 30 + CHAR_WIDTH * max(map(columns, labels)) if labels else 14
    bottom = height - (40 if labels else 22)
    return Axes(left=room_for(y_ticks), right=width - gutter, top=10, bottom=bottom, xs=x_ticks, ys=y_ticks)


def _line(line: ChartLine, axes: Axes) -> list[Markup]:
    shapes = []

    def circle(kind: str, point: Point, radius: float) -> None:
        x, y = axes.x(point[0]), axes.y(point[1])
        shapes.append(element("circle", class_=f"{kind} {line.tone}", cx=x, cy=y, r=radius))

    for run in stretches(line.points, lambda point: math.isfinite(point[1])):
        if len(run) == 1:
            circle("dot", run[0], 3)
        else:
            shapes.append(polyline(((axes.x(x), axes.y(y)) for x, y in run), f"line {line.tone}"))
    for point in line.finite:
        if line.dotted:
            circle("dot", point, 3.5)
        if point[0] == line.ring:
            circle("ring", point, 4)
    return shapes


def _end_labels(lines: Sequence[ChartLine], labels: Sequence[str], axes: Axes) -> list[Markup]:
    """Each line's name at the right, on a leader from its last point where the two are apart."""
    ends = [(axes.x(line.finite[-1][0]), axes.y(line.finite[-1][1])) for line in lines]
    places = spread([y for _, y in ends], 16, axes.top, axes.bottom)
    shapes = []
    for line, label, (x, y), place in zip(lines, labels, ends, places, strict=True):
        start, stop = x + 6, axes.right + 14
        shapes.append(polyline([(start, y), (max(start, axes.right), y), (stop, place)], f"leader {line.tone}"))
        shapes.append(element("text", label, class_=f"name {line.tone}", x=stop + 5, y=place + 4))
    return shapes


def _description(lines: Sequence[ChartLine], across: str) -> str:
    said = []
    for line in lines:
        (first, start), (last, end) = line.finite[0], line.finite[-1]
        top = max(y for _, y in line.finite)
        name = named(line.label, 60)
        said.append(
            _(
                "%(name)s: from %(start)s at %(across)s %(first)s to %(end)s at %(across)s %(last)s, at most %(top)s.",
                name=name, start=f"{start:.4g}", first=f"{first:g}", end=f"{end:.4g}", last=f"{last:g}",
                top=f"{top:.4g}", across=across,
            )
        )  # fmt: skip
    return " ".join(said)
