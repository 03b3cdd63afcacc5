"""Line charts as inline SVG, coloured by the page's style sheet through classes, so that they follow light and dark."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from markupsafe import Markup

from viral.base.language import _
from viral.lab.report.svg import columns, element, spread, tick_labels, ticks
from viral.lab.report.wording import named

CHAR_WIDTH = 6.9  # of a direct label, at the font size of the style sheet
Size: TypeAlias = Literal["wide", "narrow", "small"]
LABEL_CHARS: dict[Size, int] = {"wide": 18, "narrow": 10}
SIZES: dict[Size, tuple[int, int]] = {"wide": (720, 330), "narrow": (350, 280), "small": (180, 112)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a chart: points (x, y), a tone of the style sheet, and the x of a point to be ringed.

    The points of a ``dotted`` one are seen each.
    """

    label: str
    points: tuple[tuple[float, float], ...]
    tone: str
    ring: float | None = None
    dotted: bool = False

    @property
    def finite(self) -> list[tuple[float, float]]:
        return [point for point in self.points if math.isfinite(point[1])]

    @property
    def runs(self) -> list[list[tuple[float, float]]]:
        """The points cut into stretches at every value that is not finite."""
        stretches: list[list[tuple[float, float]]] = [[]]
        for point in self.points:
            if math.isfinite(point[1]):
                stretches[-1].append(point)
            elif stretches[-1]:
                stretches.append([])
        return [stretch for stretch in stretches if stretch]


@dataclass(frozen=True, slots=True)
class Frame:
    """A plot's rectangle and its two axes; maps data to the view box."""

    left: float
    right: float
    top: float
    bottom: float
    xs: tuple[float, ...]  # ticks; the first and last are the ends of the axis
    ys: tuple[float, ...]

    def x(self, value: float) -> float:
        return self.left + (value - self.xs[0]) / (self.xs[-1] - self.xs[0]) * (self.right - self.left)

    def y(self, value: float) -> float:
        return self.bottom - (value - self.ys[0]) / (self.ys[-1] - self.ys[0]) * (self.bottom - self.top)


def line_chart(lines: Sequence[Line], *, key: str, title: str, size: Size = "wide", across: str = "") -> Markup:
    """Lines over epochs, or over what ``across`` names, labelled at their ends.

    ``key`` makes the ids of title and description unique on the page. ``narrow`` is the same for a telephone, drawn
    anew so that its text stays legible; ``small`` is a multiple for one line, without end labels. Nothing to draw gives
    empty markup.
    """
    drawn = [line for line in lines if line.finite]
    if not drawn:
        return Markup("")
    width, height = SIZES[size]
    labels = [named(line.label, LABEL_CHARS[size]) for line in drawn] if size != "small" else []
    frame = _frame(drawn, width, height, labels)
    order = sorted(drawn, key=lambda line: line.tone == "main")  # VIRAL lies on top
    shapes = [
        *_axes(frame, (across or _("epoch")) if labels else ""),
        *(shape for line in order for shape in _line(line, frame)),
    ]
    if labels:
        shapes += _end_labels(drawn, labels, frame)
    return element(
        "svg",
        element("title", title, id=f"{key}-title"),
        element("desc", _description(drawn, across or _("epoch")), id=f"{key}-desc"),
        *shapes,
        class_=f"lines {size}",
        viewBox=f"0 0 {width} {height}",
        role="img",
        aria_labelledby=f"{key}-title {key}-desc",
    )


def _frame(lines: Sequence[Line], width: float, height: float, labels: Sequence[str]) -> Frame:
    points = [point for line in lines for point in line.finite]
    xs, ys = [x for x, _ in points], [y for _, y in points]
    fewer = 2 if width < 300 else 1
    y_ticks = ticks(min(ys), max(ys), 4 // fewer)
    x_ticks = ticks(min(xs), max(xs), 6 // fewer, whole=True)
    left = 10 + CHAR_WIDTH * max(map(len, tick_labels(y_ticks)))
    gutter = 30 + CHAR_WIDTH * max(map(columns, labels)) if labels else 14
    return Frame(left, width - gutter, 10, height - (40 if labels else 22), tuple(x_ticks), tuple(y_ticks))


def _axes(frame: Frame, across: str) -> list[Markup]:
    """Grid lines, tick labels and, if it has one, the name of the horizontal axis."""
    shapes = []
    for value, label in zip(frame.ys, tick_labels(frame.ys), strict=True):
        y = frame.y(value)
        shapes.append(element("line", class_="grid", x1=frame.left, x2=frame.right, y1=y, y2=y))
        shapes.append(element("text", label, class_="tick end", x=frame.left - 7, y=y + 4))
    for value, label in zip(frame.xs, tick_labels(frame.xs), strict=True):
        shapes.append(element("text", label, class_="tick middle", x=frame.x(value), y=frame.bottom + 18))
    if across:
        middle = (frame.left + frame.right) / 2
        shapes.append(element("text", across, class_="tick middle", x=middle, y=frame.bottom + 36))
    return shapes


def _line(line: Line, frame: Frame) -> list[Markup]:
    shapes = []
    for run in line.runs:
        if len(run) == 1:
            shapes.append(
                element("circle", class_=f"dot {line.tone}", cx=frame.x(run[0][0]), cy=frame.y(run[0][1]), r=3)
            )
            continue
        path = " ".join(f"{frame.x(x):.2f},{frame.y(y):.2f}" for x, y in run)
        shapes.append(element("polyline", class_=f"line {line.tone}", points=path))
    for x, y in line.finite:
        if line.dotted:
            shapes.append(element("circle", class_=f"dot {line.tone}", cx=frame.x(x), cy=frame.y(y), r=3.5))
        if x == line.ring:
            shapes.append(element("circle", class_=f"ring {line.tone}", cx=frame.x(x), cy=frame.y(y), r=4))
    return shapes


def _end_labels(lines: Sequence[Line], labels: Sequence[str], frame: Frame) -> list[Markup]:
    """Each line's name at the right, on a leader from its last point where the two are apart."""
    ends = [(frame.x(line.finite[-1][0]), frame.y(line.finite[-1][1])) for line in lines]
    places = spread([y for _, y in ends], 16, frame.top, frame.bottom)
    shapes = []
    for line, label, (x, y), place in zip(lines, labels, ends, places, strict=True):
        start, stop = x + 6, frame.right + 14
        leader = f"{start:.2f},{y:.2f} {max(start, frame.right):.2f},{y:.2f} {stop:.2f},{place:.2f}"
        shapes.append(element("polyline", class_=f"leader {line.tone}", points=leader))
        shapes.append(element("text", label, class_=f"name {line.tone}", x=stop + 5, y=place + 4))
    return shapes


def _description(lines: Sequence[Line], across: str) -> str:
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
