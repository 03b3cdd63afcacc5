"""Scales, ticks, grid lines and the room that labels take: what every chart with two axes shares."""

import math
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

from markupsafe import Markup

from viral.lab.report.figures.svg import element
from viral.lab.report.wording import fixed

CHAR_WIDTH = 6.9  # of a label, at the font size of the style sheet
FULL_WIDTH = 1.9  # letters that a full-width sign takes
Size: TypeAlias = Literal["wide", "narrow", "small"]  # for a page, for a telephone, for one line of several
Point: TypeAlias = tuple[float, float]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Axes:
    """A plot's rectangle and its two scales; maps data to the view box."""

    left: float
    right: float
    top: float
    bottom: float
    xs: tuple[float, ...]  # ticks; the first and last are the ends of the axis
    ys: tuple[float, ...]
    logarithmic: bool = False  # the horizontal axis

    def x(self, value: float) -> float:
        low, high = self.xs[0], self.xs[-1]
        if self.logarithmic:
            return self.left + math.log(value / low) / math.log(high / low) * (self.right - self.left)
        return self.left + (value - low) / (high - low) * (self.right - self.left)

    def y(self, value: float) -> float:
        return self.bottom - (value - self.ys[0]) / (self.ys[-1] - self.ys[0]) * (self.bottom - self.top)

    def vertical(self) -> list[Markup]:
        """A grid line and its number for every tick of the vertical axis."""
        shapes = []
        for value, label in zip(self.ys, tick_labels(self.ys), strict=True):
            y = self.y(value)
            shapes.append(element("line", class_="grid", x1=self.left, x2=self.right, y1=y, y2=y))
            shapes.append(element("text", label, class_="tick end", x=self.left - 7, y=y + 4))
        return shapes

    def horizontal(
        self, labels: Iterable[tuple[float, str]], name: str, *, lines: bool = False, style: str = "tick middle"
    ) -> list[Markup]:
        """Labels at their places below the plot, with grid lines where asked for, and the axis's name, if any."""
        shapes = []
        for value, label in labels:
            x = self.x(value)
            if lines:
                shapes.append(element("line", class_="grid", x1=x, x2=x, y1=self.top, y2=self.bottom))
            shapes.append(element("text", label, class_="tick middle", x=x, y=self.bottom + 18))
        if name:
            middle = (self.left + self.right) / 2
            shapes.append(element("text", name, class_=style, x=middle, y=self.bottom + 36))
        return shapes


def room_for(ys: Sequence[float]) -> float:
    """The left end of a plot, so that the labels of its vertical axis have room."""
    return 10 + CHAR_WIDTH * max(map(len, tick_labels(ys)))


def ticks(low: float, high: float, count: int = 4, *, whole: bool = False) -> list[float]:
    """Round numbers, about ``count`` steps apart, from at or below ``low`` to at or above ``high``.

    Steps are 1, 2, 2.5 or 5 times a power of ten; ``whole`` keeps them integers. Equal ends are given room.
    """
    if high - low <= 1e-12 * max(abs(low), abs(high)):
        room = abs(low) * 0.1 or 1.0
        low, high = low - room, high + room
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    steps = (1.0, 2.0, 5.0, 10.0) if whole else (1.0, 2.0, 2.5, 5.0, 10.0)
    step = power * min(steps, key=lambda factor: abs(math.log(factor * power / rough)))
    if whole:
        step = max(1.0, round(step))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [index * step for index in range(first, last + 1)]


def logarithmic_ticks(low: float, high: float, most: int) -> list[float]:
    """1, 2 and 5 times powers of ten from at or below ``low`` to above ``high``; powers alone where those are many."""
    first, last = math.floor(math.log10(low)), math.floor(math.log10(high)) + 1
    fine = [factor * 10.0**power for power in range(first, last + 1) for factor in (1, 2, 5)]
    start = max(index for index, mark in enumerate(fine) if mark <= low * (1 + 1e-9))
    stop = min(index for index, mark in enumerate(fine) if mark > high)
    chosen = fine[start : stop + 1]
    return chosen if len(chosen) <= most else [10.0**power for power in range(first, last + 1)]


def tick_labels(values: Sequence[float]) -> list[str]:
    """The same number of decimals for all, just enough to tell them apart; powers of ten where that is too long."""
    for decimals in range(9 if max(map(abs, values)) < 1e6 else 0):
        if all(math.isclose(round(value, decimals), value, rel_tol=1e-6, abs_tol=1e-12) for value in values):
            return [fixed(value, decimals) for value in values]
    return [f"{value:.3g}".replace("-", "−") for value in values]


def columns(text: str) -> float:
    """How many letters of ours a text is as wide as: signs of Chinese, Japanese and Korean are wider."""
    return sum(FULL_WIDTH if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places as near as may be to ``wanted``, at least ``gap`` apart and within [low, high]; the order is kept.

    Where there is no room for that gap, a smaller one.
    """
    if len(wanted) > 1:
        gap = min(gap, (high - low) / (len(wanted) - 1))
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    places = [0.0] * len(wanted)
    floor = low
    for index in order:
        places[index] = max(wanted[index], floor)
        floor = places[index] + gap
    ceiling = high
    for index in reversed(order):
        places[index] = min(places[index], ceiling)
        ceiling = places[index] - gap
    return places


def stretches(values: Iterable[T], there: Callable[[T], bool]) -> list[list[T]]:
    """The values cut into stretches wherever one is not there."""
    found: list[list[T]] = [[]]
    for value in values:
        if there(value):
            found[-1].append(value)
        elif found[-1]:
            found.append([])
    return [stretch for stretch in found if stretch]


def polyline(points: Iterable[Point], classes: str) -> Markup:
    """A line through points of the view box."""
    return element("polyline", class_=classes, points=" ".join(f"{x:.2f},{y:.2f}" for x, y in points))
