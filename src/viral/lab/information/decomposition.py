"""Partial information decomposition of small tables: p(x1, x2, y) as an array (K1, K2, Y), everything in bits.

BROJA (Bertschinger, Rauh, Olbrich, Jost & Ay, Entropy 16, 2014): over all q that keep p(x1, y) and p(x2, y),
U = min_q I_q(X1 X2; Y) is the *union*, the information of the sources without their synergy. Then R = I1 + I2 - U,
U1 = U - I2, U2 = U - I1, S = I12 - U.

For a target of two values the convex programme has a closed form, used here. Two-valued experiments form a lattice
under Blackwell's order (Bertschinger & Rauh, ISIT 2014): X is known up to equivalence by its Neyman–Pearson curve, and
the join J of X1 and X2 has the least concave majorant of both curves. Every q makes (X1, X2) at least as good as
J, so I_q ≥ I(J; Y); and drawing X1 and X2 from J independently, by the garblings that exist because J is better than
each, keeps both margins and tells no more than J does. So U = I(J; Y), exactly, in n log n. For targets of more values
there is no lattice, and the library ``dit`` solves the programme.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from viral.base.errors import DataError, UsageError
from viral.base.extras import require

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Measure = Literal["broja", "imin"]
PARTS = ("redundant", "unique_text", "unique_visual", "synergistic")
LIBRARY_CELLS = 200  # dit is quick up to about this many cells: 8 × 8 × 3


@dataclass(frozen=True, slots=True)
class Parts:
    """The four parts, in bits; they add up to the joint information. A corrected estimate may be a little negative."""

    redundant: float
    unique_text: float  # of the first source
    unique_visual: float  # of the second source
    synergistic: float

    @property
    def total(self) -> float:
        """I(X1 X2; Y)."""
        return self.redundant + self.unique_text + self.unique_visual + self.synergistic

    def shares(self) -> dict[str, float]:
        """Each part, negative ones as 0, by their sum; all 0 where there is no information."""
        kept = {name: max(0.0, getattr(self, name)) for name in PARTS}
        total = sum(kept.values())
        return {name: value / total if total > 0 else 0.0 for name, value in kept.items()}

    @classmethod
    def of(cls, first: float, second: float, both: float, union: float) -> "Parts":
        """From I(X1; Y), I(X2; Y), I(X1 X2; Y) and the union of both."""
        return cls(first + second - union, union - second, union - first, both - union)

    @classmethod
    def of_common(cls, first: float, second: float, both: float, common: float) -> "Parts":
        """From the same and a redundancy R: R, I1 - R, I2 - R, I12 - I1 - I2 + R."""
        return cls(common, first - common, second - common, both - first - second + common)


def decompose(p: npt.ArrayLike, measure: Measure = "broja") -> Parts:
    """The four parts of a table (K1, K2, Y) of probabilities or counts.

    ``broja``: exact for Y = 2, by ``dit`` otherwise. ``imin`` (Williams & Beer 2010): R = Σ_y p(y) min_i I(X_i; Y=y);
    it calls equal amounts of unrelated information redundant. Raises ``DataError`` for what is no distribution, and
    for more than two target values in a table too large for ``dit``.
    """
    table = normalised(p)
    first, second = table.sum(axis=1), table.sum(axis=0)
    one, two, both = (mutual_information(x) for x in (first, second, table.reshape(-1, table.shape[2])))
    if measure == "imin":
        return Parts.of_common(one, two, both, _specific_minimum(first, second))
    if measure != "broja":
        raise UsageError(f"unknown measure {measure!r}", hint="broja or imin")
    if table.shape[2] > 2:
        return library(table, measure)
    return Parts.of(one, two, both, union_information(first, second))


def normalised(p: npt.ArrayLike) -> FloatArray:
    """A table of three axes that sums to one; ``DataError`` where it is none."""
    table = np.asarray(p, dtype=np.float64)
    if table.ndim != 3 or not np.isfinite(table).all() or (table < 0).any() or table.sum() <= 0:
        hint = "give p(x1, x2, y) as an array of three axes, of numbers that are not negative and not all 0"
        raise DataError(f"not a table of probabilities (shape {table.shape})", where="information", hint=hint)
    return table / table.sum()


def mutual_information(p: FloatArray) -> float:
    """I(X; Y) of a table (K, Y) that sums to one."""
    independent = p.sum(axis=1, keepdims=True) * p.sum(axis=0)
    filled = p > 0
    return float((p[filled] * np.log2(p[filled] / independent[filled])).sum())


def union_information(first: FloatArray, second: FloatArray) -> float:
    """min_q I_q(X1 X2; Y) for a two-valued target, from p(x1, y) (K1, 2) and p(x2, y) (K2, 2)."""
    return mutual_information(join(first, second))


def join(first: FloatArray, second: FloatArray) -> FloatArray:
    """The least experiment that is as good as both: p(j, y) (J, 2), by falling likelihood ratio of y = 1.

    It is the upper hull of both Neyman–Pearson curves, which run from (0, 0) to (p(y=0), p(y=1)).
    """
    points = np.unique(np.concatenate([_curve(first), _curve(second)]), axis=0)
    hull: list[FloatArray] = []
    for point in points:  # by x, then y
        while len(hull) > 1 and _turn(hull[-2], hull[-1], point) >= 0:
            hull.pop()
        hull.append(point)
    steps = np.diff(np.array(hull), axis=0)
    return np.asarray(np.maximum(steps, 0.0)[steps.sum(axis=1) > 1e-15])


def _curve(p: FloatArray) -> FloatArray:
    """Corners of the Neyman–Pearson curve: cumulative (p(x, 0), p(x, 1)), the most telling x first: (K+1, 2)."""
    total = p.sum(axis=1)
    kept = p[total > 0]
    order = np.argsort(-kept[:, 1] / kept.sum(axis=1), kind="stable")
    corners = np.concatenate([np.zeros((1, 2)), np.cumsum(kept[order], axis=0)])
    corners[-1] = p.sum(axis=0)
    return np.asarray(np.round(corners, 14))


def _turn(a: FloatArray, b: FloatArray, c: FloatArray) -> float:
    """Positive where a → b → c turns left."""
    return float((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))


def garbling(better: FloatArray, worse: FloatArray) -> FloatArray:
    """A channel from J to X, K(x | j) (J, K), that turns p(j, y) into p(x, y); J must be at least as good as X."""
    from scipy.optimize import linprog
    from scipy.sparse import kron, vstack

    outcomes, cells = len(better), len(worse)
    rows = kron(np.eye(outcomes), np.ones((1, cells)))  # each j goes somewhere
    margins = kron(better.T, np.eye(cells))  # (2 K, J K)
    target = np.concatenate([np.ones(outcomes), worse.T.reshape(-1)])
    found = linprog(np.zeros(outcomes * cells), A_eq=vstack([rows, margins]).tocsr(), b_eq=target, method="highs")
    if found.x is None:
        raise DataError("the first experiment is not as good as the second", where="information")
    return np.asarray(found.x.reshape(outcomes, cells))


def _specific_minimum(first: FloatArray, second: FloatArray) -> float:
    """I_min: Σ_y p(y) min_i Σ_x p(x | y) log2 p(y | x) / p(y)."""
    target = first.sum(axis=0)
    specific = []
    for p in (first, second):
        with np.errstate(divide="ignore", invalid="ignore"):
            gain = np.where(p > 0, p * np.log2(p / (p.sum(axis=1, keepdims=True) * target)), 0.0)
        specific.append(gain.sum(axis=0))
    return float(np.minimum(*specific).sum())


def library(p: npt.ArrayLike, measure: Measure = "broja") -> Parts:
    """The same by ``dit`` (James, Ellison & Crutchfield, JOSS 2018): any target, small tables, tenths of a second.

    BROJA by its admUI solver (Banerjee et al. 2018). On the tables where that does not converge, ``dit`` goes over to
    one that starts at random: two calls may then differ, and were seen to be wrong by up to 0.03 bit.
    """
    table = normalised(p)
    if table.size > LIBRARY_CELLS:
        hint = "use fewer clusters, or a target of two values (solved exactly at any size)"
        raise DataError(f"a table of {table.size} cells is too large for dit", where="information", hint=hint)
    require("lab", purpose="this measure of information", only=["dit"])
    import dit
    from dit.pid import PID_BROJA, PID_WB

    outcomes, weights = zip(*_cells(table), strict=True)
    distribution = dit.Distribution(list(outcomes), list(weights))
    if measure == "broja":
        found = PID_BROJA(distribution, [[0], [1]], [2], method="admui")
    else:
        found = PID_WB(distribution, [[0], [1]], [2])
    redundant, one, two, both = (float(found[node]) for node in (((0,), (1,)), ((0,),), ((1,),), ((0, 1),)))
    return Parts(redundant, one, two, both)


def _cells(table: FloatArray) -> Iterable[tuple[tuple[str, ...], float]]:
    for cell in np.argwhere(table > 0):
        yield tuple(map(str, cell.tolist())), float(table[tuple(cell)])
