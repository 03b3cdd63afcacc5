"""Bars as inline SVG, measured in per cent of their width: they fill a telephone and a wide page alike.

Their labels and numbers are HTML beside them, so no text is scaled and a screen reader reads it.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from viral.lab.report.svg import element, tick_labels, ticks
from viral.lab.report.tables import Bar
from viral.lab.report.values import KNOWN_PARTS, PLAIN, Part
from viral.lab.report.wording import percent

ROW, BAR = 32, 12  # heights of a row and of the bar in it
STACK = 26
LABELLED = 0.075  # of the width: a narrower share has no room for its number


@dataclass(frozen=True, slots=True)
class Bars:
    """A drawn bar chart: one SVG per bar, in order, and the axis below them."""

    bars: tuple[Markup, ...]
    axis: Markup


def bar_chart(bars: Sequence[Bar], *, as_percent: bool = False, tone: Callable[[str], str] = lambda _: PLAIN) -> Bars:
    """Horizontal bars from zero on a common axis with round ends; intervals as whiskers, few seeds as dots."""
    values = [end for bar in bars for end in (bar.value.mean, *(bar.value.bounds or ())) if math.isfinite(end)]
    marks = ticks(min(0.0, *values), max(0.0, *values), 4) if values else [0.0, 1.0]
    low, high = marks[0], marks[-1]

    def place(value: float) -> float:
        return 100 * (value - low) / (high - low)

    grid = [_upright("zero" if mark == 0 else "grid", place(mark)) for mark in marks]
    labels = tick_labels([100 * mark for mark in marks] if as_percent else marks)
    anchors = ["start", *["middle"] * (len(marks) - 2), "end"]
    names = [
        element("text", f"{label}\u00a0%" if as_percent else label, class_=f"tick {anchor}", x=_at(place(mark)), y=14)
        for mark, label, anchor in zip(marks, labels, anchors, strict=True)
    ]
    return Bars(
        tuple(
            element("svg", *grid, *_bar(bar, place, tone(bar.label)), class_="bar", height=ROW, aria_hidden="true")
            for bar in bars
        ),
        element("svg", *names, class_="bar axis", height=20, aria_hidden="true"),
    )


def _bar(bar: Bar, place: Callable[[float], float], tone: str) -> list[Markup]:
    shapes, value, lift = [], bar.value, f"translate(0 {-BAR / 2:g})"
    if math.isfinite(value.mean):
        start, stop = sorted((place(0.0), place(value.mean)))
        shapes.append(
            element(
                "rect",
                class_=f"fill {tone}",
                x=_at(start),
                width=_at(stop - start),
                y="50%",
                height=BAR,
                transform=lift,
            )
        )
    if value.seeds:
        shapes += [element("circle", class_="seed", cx=_at(place(one)), cy="50%", r=3.5) for one in value.seeds]
    elif value.bounds:
        low, high = (place(end) for end in value.bounds)
        shapes.append(element("line", class_="whisker", x1=_at(low), x2=_at(high), y1="50%", y2="50%"))
        for end in (low, high):
            shapes.append(
                element(
                    "rect", class_="foot", x=_at(end), width=1.5, y="50%", height=10, transform="translate(-0.75 -5)"
                )
            )
    return shapes


def _at(per_cent: float) -> str:
    return f"{per_cent:.3f}%"


def _upright(tone: str, place: float) -> Markup:
    return element("line", class_=tone, x1=_at(place), x2=_at(place), y1="0", y2="100%")


def part_tone(name: str) -> str:
    """The style sheet's class for a part of a score; taste, and parts that are not VIRAL's, are grey.

    What is unique to a picture has one colour, whichever modality stands for it.
    """
    name = "unique visual" if name.startswith("unique ") else name
    return f"part-{KNOWN_PARTS.index(name) + 1}" if name in KNOWN_PARTS else "part-other"


def part_span(stacks: Iterable[Sequence[Part]]) -> tuple[float, float]:
    """How far the negative and the positive parts reach at most, so that several stacks share one scale."""
    low = high = 0.0
    for parts in stacks:
        low = min(low, math.fsum(part.value for part in parts if part.value < 0))
        high = max(high, math.fsum(part.value for part in parts if part.value > 0))
    return low, high


def part_stack(parts: Sequence[Part], span: tuple[float, float] | None = None) -> Markup:
    """One thin bar of a score's parts: the positive ones to the right of zero, the negative ones to its left."""
    low, high = span or part_span([parts])
    width = high - low or 1.0
    zero = 100 * (0 - low) / width
    edges = {True: zero, False: zero}  # where the next positive, the next negative part begins
    shapes = []
    for part in parts:
        length, positive = 100 * abs(part.value) / width, part.value > 0
        start = edges[positive] if positive else edges[positive] - length
        edges[positive] += length if positive else -length
        shapes.append(_segment(part.name, start, length, 8, 2))
    if low < 0:
        shapes.append(_upright("zero", zero))
    return element("svg", *shapes, class_="stack", height=12, aria_hidden="true")


def share_stack(parts: Sequence[Part]) -> Markup:
    """One bar of the full width, cut into the parts' shares of their sum, each with its per cent where it has room."""
    total = math.fsum(part.value for part in parts)
    shapes, start = [], 0.0
    for part, share in ((part, part.value / total) for part in parts if total > 0):
        shapes.append(_segment(part.name, start, 100 * share, STACK, 0))
        if share >= LABELLED:
            tone, middle = f"inside {part_tone(part.name)}", _at(start + 50 * share)
            shapes.append(element("text", percent(share, 0), class_=tone, x=middle, y=STACK / 2 + 4.5))
        start += 100 * share
    return element("svg", *shapes, class_="stack", height=STACK, aria_hidden="true")


def box_mark(box: tuple[float, float, float, float], width: int, height: int) -> Markup:
    """A frame around the product, laid over a picture of that size as the style sheet lays the picture."""
    left, top, right, bottom = box
    size = {"width": (right - left) * width, "height": (bottom - top) * height}
    frames = [element("rect", x=left * width, y=top * height, rx=2, **size) for _ in range(2)]  # pale beneath dark
    return element("svg", *frames, class_="product", viewBox=f"0 0 {width} {height}", aria_hidden="true")


def _segment(name: str, start: float, length: float, height: float, top: float) -> Markup:
    tone = f"fill {part_tone(name)}"
    return element("rect", class_=tone, x=_at(start), width=_at(length), y=top, height=height)
