"""Bars of the parts of a score, each part in its colour: added to both sides of zero, or as shares of the sum."""

import math
from collections.abc import Iterable, Sequence

from markupsafe import Markup

from viral.lab.report.figures.svg import at, element, upright
from viral.lab.report.values import KNOWN_PARTS, Part
from viral.lab.report.wording import percent

STACK = 26  # height
LABELLED = 0.075  # of the width: a narrower share has no room for its number


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
        shapes.append(upright("zero", zero))
    return element("svg", *shapes, class_="stack", height=12, aria_hidden="true")


def share_stack(parts: Sequence[Part]) -> Markup:
    """One bar of the full width, cut into the parts' shares of their sum, each with its per cent where it has room."""
    total = math.fsum(part.value for part in parts)
    shapes, start = [], 0.0
    for part, share in ((part, part.value / total) for part in parts if total > 0):
        shapes.append(_segment(part.name, start, 100 * share, STACK, 0))
        if share >= LABELLED:
            tone, middle = f"inside {part_tone(part.name)}", at(start + 50 * share)
            shapes.append(element("text", percent(share, 0), class_=tone, x=middle, y=STACK / 2 + 4.5))
        start += 100 * share
    return element("svg", *shapes, class_="stack", height=STACK, aria_hidden="true")


def _segment(name: str, start: float, length: float, height: float, top: float) -> Markup:
    tone = f"fill {part_tone(name)}"
    return element("rect", class_=tone, x=at(start), width=at(length), y=top, height=height)
