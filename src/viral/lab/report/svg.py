"""SVG elements as escaped markup, and the arithmetic of axes."""

import math
import unicodedata
from collections.abc import Sequence

from markupsafe import Markup, escape

from viral.lab.report.wording import fixed

WIDE = 1.9  # letters that a full-width sign takes


def element(name: str, *children: str, **attributes: str | float) -> Markup:
    """``<name …>children</name>``; texts and attribute values are escaped, numbers written with two decimals.

    Attribute names take ``_`` for ``-`` (``stroke_width``); a trailing one is dropped (``class_``).
    """
    pairs = []
    for key, value in attributes.items():
        text = value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")
        pairs.append(Markup(' {}="{}"').format(Markup(key.rstrip("_").replace("_", "-")), text))
    return Markup("<{0}{1}>{2}</{0}>").format(
        Markup(name), Markup("").join(pairs), Markup("").join(map(escape, children))
    )


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


def tick_labels(values: Sequence[float]) -> list[str]:
    """The same number of decimals for all, just enough to tell them apart; powers of ten where that is too long."""
    for decimals in range(9 if max(map(abs, values)) < 1e6 else 0):
        if all(math.isclose(round(value, decimals), value, rel_tol=1e-6, abs_tol=1e-12) for value in values):
            return [fixed(value, decimals) for value in values]
    return [f"{value:.3g}".replace("-", "−") for value in values]


def columns(text: str) -> float:
    """How many letters of ours a text is as wide as: signs of Chinese, Japanese and Korean are wider."""
    return sum(WIDE if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


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
