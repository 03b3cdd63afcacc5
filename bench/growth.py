"""How time and memory grow with the interactions."""

import math
from collections.abc import Mapping, Sequence

LEAST = 1e-9


def exponents(rows: Sequence[Mapping[str, float]], by: str = "interactions") -> dict[str, float]:
    """The b of y ≈ a·xᵇ for every other key y of the rows, x = ``by``: least squares on logarithms."""
    return {key: slope([row[by] for row in rows], [row[key] for row in rows]) for key in rows[0] if key != by}


def slope(xs: Sequence[float], ys: Sequence[float]) -> float:
    """The slope of the line through (log x, log y) of least squares; 0 where all x are the same."""
    points = [(math.log(max(x, LEAST)), math.log(max(y, LEAST))) for x, y in zip(xs, ys, strict=True)]
    centre_x, centre_y = (sum(values) / len(points) for values in zip(*points, strict=True))
    spread = sum((x - centre_x) ** 2 for x, _ in points)
    return sum((x - centre_x) * (y - centre_y) for x, y in points) / spread if spread else 0.0
