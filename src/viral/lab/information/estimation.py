"""From labelled pairs to parts in bits: plug-in, corrected for finite samples, with intervals. N pairs, G groups."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from viral.base.errors import DataError, UsageError
from viral.lab.information.choice_pairs import STREAM
from viral.lab.information.decomposition import (
    PARTS,
    FloatArray,
    IntArray,
    Parts,
    mutual_information,
    union_information,
)

CORRECTIONS = ("permutation", "extrapolation", "none")
LEAST_COUNT = 5.0  # pairs a cell (x1, x2, y), on average
SHUFFLES = 20
FIELDS = ("text", "visual", "both", "union", "common_text", "common_visual")


@dataclass(frozen=True, slots=True, eq=False)
class PairCells:
    """Every pair's cell under each source. ``common_*`` may be absent: then there is no common part to measure."""

    text: IntArray  # (N,)
    visual: IntArray  # (N,)
    both: IntArray  # (N,) of the joint source
    chosen: IntArray  # (N,)
    users: IntArray  # (N,): what is resampled
    groups: IntArray  # (N,) of users: information is measured within a group
    common_text: IntArray | None = None  # the shared part, as read from the text
    common_visual: IntArray | None = None

    def cells(self) -> int:
        """Cells of the largest table of all groups, the two values of y included."""
        return 2 * (int(self.both.max()) + 1) * (int(self.groups.max()) + 1)


@dataclass(frozen=True, slots=True)
class BitsInterval:
    """An estimate with its 95 % interval, in bits."""

    bits: float  # corrected
    low: float
    high: float
    plug_in: float  # before correction


@dataclass(frozen=True, slots=True, eq=False)
class InformationEstimate:
    """The parts under BROJA and, where known, under the common-part definition, with the counts behind them."""

    broja: dict[str, BitsInterval]
    common: dict[str, BitsInterval] | None
    information: dict[str, BitsInterval]  # I(text; Y), I(visual; Y), I(both; Y)
    pairs: int
    cells: int
    correction: str

    def parts(self, definition: str = "broja") -> Parts:
        """The corrected parts."""
        found = self.broja if definition == "broja" else self.common
        if found is None:
            raise UsageError(f"no {definition} parts here", hint="broja")
        return Parts(**{name: found[name].bits for name in PARTS})

    def to_json(self) -> dict[str, Any]:
        shares = {"broja": self.parts().shares()}
        if self.common is not None:
            shares["common"] = self.parts("common").shares()
        return asdict(self) | {"shares": shares}


def quantile_labels(scores: FloatArray, count: int) -> IntArray:
    """Cells of equal size by score; the edges know nothing of y: (N,) -> (N,)."""
    edges = np.quantile(scores, np.arange(1, count) / count)
    return np.searchsorted(edges, scores, side="right").astype(np.int64)


def estimate(
    labels: PairCells, *, correction: str = "permutation", bootstrap: int = 200, seed: int = 0
) -> InformationEstimate:
    """Parts with corrections and intervals.

    ``permutation`` subtracts the mean of every quantity over shuffles of y within users (nothing is told there, so it
    is bias alone; exact to first order in 1/N). ``extrapolation`` fits I + a/N + b/N² to whole, halves and quarters
    (Strong et al. 1998). Intervals: bootstrap over users, centred on the estimate. Raises ``DataError`` for fewer than
    five pairs a cell.
    """
    _check(labels, correction)
    rng = np.random.default_rng([seed, STREAM, 2])
    plain = _informations(labels, np.ones(len(labels.users)), labels.chosen)
    bias = _bias(labels, plain, correction, rng)
    count = int(labels.users.max()) + 1
    draws = []
    for _ in range(bootstrap):
        weight = np.bincount(rng.integers(0, count, count), minlength=count)[labels.users]
        draws.append(_informations(labels, weight.astype(np.float64), labels.chosen))
    spread = np.array(draws) if draws else plain[None, :]
    measured = _Bootstrapped(plain, plain - bias, spread - spread.mean(axis=0))
    common = measured.intervals(_common) if labels.common_text is not None else None
    information = measured.intervals(lambda v: {name: v[FIELDS.index(name)] for name in ("text", "visual", "both")})
    return InformationEstimate(
        measured.intervals(_broja), common, information, len(labels.users), labels.cells(), correction
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Bootstrapped:
    plain: FloatArray  # (6,) in the order of FIELDS
    corrected: FloatArray
    spread: FloatArray  # (bootstrap, 6), of mean 0

    def intervals(self, of: Callable[[FloatArray], dict[str, float]]) -> dict[str, BitsInterval]:
        """An interval for every number that ``of`` makes from the six."""
        plain, corrected = of(self.plain), of(self.corrected)
        around = [of(self.corrected + row) for row in self.spread]
        bounds = {name: np.quantile([row[name] for row in around], [0.025, 0.975]).tolist() for name in plain}
        return {
            name: BitsInterval(float(corrected[name]), low, high, float(plain[name]))
            for name, (low, high) in bounds.items()
        }


def _check(labels: PairCells, correction: str) -> None:
    if correction not in CORRECTIONS:
        raise UsageError(f"unknown correction {correction!r}", hint=" or ".join(CORRECTIONS))
    cells, pairs = labels.cells(), len(labels.users)
    if pairs < LEAST_COUNT * cells:
        raise DataError(
            f"{pairs:,} pairs for {cells:,} cells: fewer than {LEAST_COUNT:g} a cell say nothing reliable",
            where="information",
            hint="use fewer --clusters or fewer --groups, or more interactions",
        )


def _bias(labels: PairCells, plain: FloatArray, correction: str, rng: np.random.Generator) -> FloatArray:
    """What finite samples add to each quantity: (6,)."""
    if correction == "none":
        return np.zeros_like(plain)
    ones = np.ones(len(labels.users))
    if correction == "extrapolation":
        halves, quarters = (_split_mean(labels, parts, rng) for parts in (2, 4))
        return np.asarray(plain - (8 * plain - 6 * halves + quarters) / 3)
    null = np.zeros_like(plain)
    for _ in range(SHUFFLES):
        null += _informations(labels, ones, _shuffled(labels, rng)) / SHUFFLES
    return null


def _split_mean(labels: PairCells, parts: int, rng: np.random.Generator) -> FloatArray:
    place = rng.permutation(np.arange(len(labels.users)) % parts)
    found = [_informations(labels, (place == part).astype(np.float64), labels.chosen) for part in range(parts)]
    return np.asarray(np.mean(found, axis=0))


def _shuffled(labels: PairCells, rng: np.random.Generator) -> IntArray:
    """The values of y exchanged among the pairs of each user."""
    by_user = np.argsort(labels.users, kind="stable")
    mixed = np.lexsort((rng.random(len(by_user)), labels.users))
    chosen = np.empty_like(labels.chosen)
    chosen[by_user] = labels.chosen[mixed]
    return chosen


def _informations(labels: PairCells, weight: FloatArray, chosen: IntArray) -> FloatArray:
    """I(text;Y), I(visual;Y), I(both;Y), the union, and the common part from each: means over groups, in bits (6,)."""
    groups = int(labels.groups.max()) + 1
    sources = (labels.text, labels.visual, labels.both, labels.common_text, labels.common_visual)
    tables = [None if cells is None else _tables(cells, labels.groups, groups, chosen, weight) for cells in sources]
    total = np.zeros(len(FIELDS))
    for group in range(groups):
        mine = [None if table is None else table[group] for table in tables]
        share = 0.0 if mine[0] is None else mine[0].sum()
        if share == 0:
            continue
        text, visual, both, common_text, common_visual = (None if m is None else m / share for m in mine)
        total += share * np.array(
            [
                *(0.0 if p is None else mutual_information(p) for p in (text, visual, both)),
                0.0 if text is None or visual is None else union_information(text, visual),
                *(0.0 if p is None else mutual_information(p) for p in (common_text, common_visual)),
            ]
        )
    return np.asarray(total / weight.sum())


def _tables(cells: IntArray, groups: IntArray, count: int, chosen: IntArray, weight: FloatArray) -> FloatArray:
    """Weights by group, cell and y: (G, K, 2)."""
    size = int(cells.max()) + 1
    index = (groups * size + cells) * 2 + chosen
    total: FloatArray = np.bincount(index, weights=weight, minlength=count * size * 2).astype(np.float64)
    return total.reshape(count, size, 2)


def _broja(values: FloatArray) -> dict[str, float]:
    text, visual, both, union = values[:4]
    return asdict(Parts.of(text, visual, both, union))


def _common(values: FloatArray) -> dict[str, float]:
    """Shared information is known from either source, so the weaker reading of it counts."""
    text, visual, both = values[:3]
    return asdict(Parts.of_common(text, visual, both, float(min(values[4:6]))))
