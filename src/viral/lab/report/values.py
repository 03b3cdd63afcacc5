"""The small values that a report is made of: numbers with intervals, parts of a score, things with a picture."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from viral.base.errors import DataError

PLAIN = "plain"  # the tone of a bar that is no model's
KNOWN_PARTS = ("text", "synergy", "unique visual", "memory")  # of VIRAL; each has its own colour


@dataclass(frozen=True, slots=True, kw_only=True)
class Headed:
    """What every section has: a heading, and words to begin with."""

    heading: str
    intro: str = ""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean and, where there are several seeds, its 95 % interval. A mean may be NaN: it is shown as a dash.

    ``seeds`` are the values of too few seeds for an interval: they are drawn one by one, and the ends are the least and
    the greatest of them.
    """

    mean: float
    low: float | None = None
    high: float | None = None
    seeds: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if (self.low is None) != (self.high is None):
            raise DataError("an interval needs both ends", where=f"estimate {self}")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise DataError("the interval's ends are swapped", where=f"estimate {self}")

    @property
    def bounds(self) -> tuple[float, float] | None:
        """Both ends, or ``None`` where there is no interval or it is not finite."""
        if self.low is None or self.high is None or not (math.isfinite(self.low) and math.isfinite(self.high)):
            return None
        return self.low, self.high


@dataclass(frozen=True, slots=True)
class Part:
    """What one source of information adds to a score; may be negative. Names: ``KNOWN_PARTS``, or others in grey."""

    name: str
    value: float


@dataclass(frozen=True, slots=True)
class ShownItem:
    """An item as a reader sees it; an absent or unreadable picture becomes a placeholder that says why.

    ``box`` is where in the picture the product is known to be: left, top, right, bottom as shares of its sides.
    """

    item_id: str
    title: str
    image: Path | None = None
    box: tuple[float, float, float, float] | None = None


def check_sum(parts: Sequence[Part], score: float, where: str) -> None:
    """Raise ``DataError`` where ``parts`` (if there are any) do not add up to ``score``, up to float32's rounding."""
    if not parts:
        return
    total = math.fsum(part.value for part in parts)
    scale = math.fsum(abs(part.value) for part in parts) + abs(score)
    if not abs(total - score) <= 1e-4 * scale + 1e-6:
        raise DataError(f"the parts add up to {total:.6g}, not to the score {score:.6g}", where=where)
