"""Texts and numbers as a reader sees them: untrusted strings made harmless to the layout, numbers rounded for print."""

import math
import unicodedata

from viral.base.language import _, marked
from viral.base.safe_text import BIDI_CONTROLS as BIDI_CONTROLS
from viral.base.safe_text import shown as shown

DASH = "–"
SPLITS = (marked("train"), marked("valid"), marked("test"))  # as tables name them


def named(name: str, limit: int = 40) -> str:
    """The name of a model or a row on one line; a long one is cut in its middle, as such names differ at their ends."""
    whole = shown(name, 8 * limit)
    if len(whole) <= limit:
        return whole
    tail = whole[-(2 * limit // 5) :]
    while tail and unicodedata.category(tail[0]).startswith("M"):
        tail = tail[1:]
    return f"{shown(whole, limit - len(tail)).removesuffix('…')}…{tail}"


def fixed(value: float | None, decimals: int = 4, *, signed: bool = False) -> str:
    """A number with ``decimals`` places and a true minus sign; a dash for ``None``, NaN and infinity."""
    if value is None or not math.isfinite(value):
        return DASH
    text = f"{value:{'+' if signed else ''},.{decimals}f}"
    if float(text.replace(",", "")) == 0:
        text = text.lstrip("+-")
    return text.replace("-", "−")


def percent(value: float | None, decimals: int = 1, *, signed: bool = False) -> str:
    """0.1234 as ``12.3 %``, the space unbreakable."""
    text = fixed(None if value is None else 100 * value, decimals, signed=signed)
    return text if text == DASH else f"{text}\u00a0%"


def score(value: float) -> str:
    """A score with about four significant digits."""
    size = abs(value)
    return fixed(value, 3 if size < 10 else 2 if size < 100 else 1)


def whole(value: int | None) -> str:
    """A count with separators between thousands."""
    return DASH if value is None else f"{value:,}"


def duration(seconds: float | None) -> str:
    """Seconds as ``0.4 s``, ``12 s``, ``3 min 20 s`` or ``2 h 5 min``."""
    if seconds is None or not math.isfinite(seconds):
        return DASH
    if seconds < 10:
        return _("%(seconds)s\u00a0s", seconds=f"{seconds:.1f}")
    total = round(seconds)
    if total < 90:
        return _("%(seconds)s\u00a0s", seconds=total)
    if total < 5400:
        return _("%(minutes)s\u00a0min %(seconds)s\u00a0s", minutes=total // 60, seconds=total % 60)
    return _("%(hours)s\u00a0h %(minutes)s\u00a0min", hours=total // 3600, minutes=total % 3600 // 60)


def seeds(values: tuple[int, ...]) -> str:
    """``seed 7``, ``seeds 1–5`` where they follow each other, else the list."""
    if len(values) == 1:
        return _("seed %(seed)s", seed=values[0])
    if len(values) > 2 and values == tuple(range(values[0], values[0] + len(values))):
        return _("seeds %(seeds)s", seeds=f"{values[0]}–{values[-1]}")
    return _("seeds %(seeds)s", seeds=", ".join(map(str, values))) if values else _("no seed")
