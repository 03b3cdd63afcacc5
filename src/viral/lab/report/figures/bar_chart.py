"""Bars as inline SVG, measured in per cent of their width: they fill a telephone and a wide page alike.

Their labels and numbers are HTML beside them, so no text is scaled and a screen reader reads it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from viral.lab.report.chart_sections import Bar
from viral.lab.report.figures.axes import tick_labels, ticks
from viral.lab.report.figures.svg import at, element, upright
from viral.lab.report.values import PLAIN, Estimate

ROW, BAR = 32, 12  # heights of a row and of the bar in it
CELL, CELL_BAR = 10, 6  # the same of a bar in a table's cell


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

    grid = [upright("zero" if mark == 0 else "grid", place(mark)) for mark in marks]
    labels = tick_labels([100 * mark for mark in marks] if as_percent else marks)
    anchors = ["start", *["middle"] * (len(marks) - 2), "end"]
    names = [
        element("text", f"{label}\u00a0%" if as_percent else label, class_=f"tick {anchor}", x=at(place(mark)), y=14)
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
                x=at(start),
                width=at(stop - start),
                y="50%",
                height=BAR,
                transform=lift,
            )
        )
    if value.seeds:
        shapes += [element("circle", class_="seed", cx=at(place(one)), cy="50%", r=3.5) for one in value.seeds]
    elif value.bounds:
        low, high = (place(end) for end in value.bounds)
        shapes.append(element("line", class_="whisker", x1=at(low), x2=at(high), y1="50%", y2="50%"))
        for end in (low, high):
            shapes.append(
                element(
                    "rect", class_="foot", x=at(end), width=1.5, y="50%", height=10, transform="translate(-0.75 -5)"
                )
            )
    return shapes


def grid_bar(value: Estimate, top: float, tone: str = PLAIN) -> Markup:
    """A cell's bar, as long as its share of ``top``."""
    length = 100 * value.mean / top if top > 0 and math.isfinite(value.mean) else 0.0
    shapes = [
        element("rect", class_="track", x=0, width="100%", y=CELL - CELL_BAR, height=CELL_BAR),
        element("rect", class_=f"fill {tone}", x=0, width=f"{length:.2f}%", y=CELL - CELL_BAR, height=CELL_BAR),
    ]
    return element("svg", *shapes, class_="bar cell", height=CELL, aria_hidden="true")
