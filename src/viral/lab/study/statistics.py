"""The numbers of a study: means over seeds with intervals, tests over users, and what a modality adds.

Shapes: S seeds, n users.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from viral.evaluation import PairedTest, holm, paired_test
from viral.lab.study.json_values import from_json

FloatArray = npt.NDArray[np.float64]
NAN = float("nan")
ENOUGH = 4  # seeds: of fewer the t interval is wider than what it is of (12.7 standard errors for two, 4.3 for three)
SIGNIFICANT = 0.05  # of a p after Holm's correction
Range = tuple[float, float]
UNIT, POSITIVE, RELATIVE, ANY = (0.0, 1.0), (0.0, np.inf), (-1.0, np.inf), (-np.inf, np.inf)


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over seeds with two ends, or none where n < 2; what they are depends on the number of seeds.

    From ``ENOUGH`` seeds on they are the 95 % interval mean ± t(0.975, n-1) · s / √n (Student 1908), intersected with
    the range of what is measured: the truth lies in that range, so what is cut off never covered it. Of fewer seeds
    they are the least and the greatest value, which claim nothing about other seeds.
    """

    mean: float
    low: float | None
    high: float | None
    n: int
    values: tuple[float, ...] = ()  # of each seed; empty where an older version did not keep them

    @classmethod
    def of(cls, values: Sequence[float], within: Range = ANY) -> "Interval":
        """Of values (S,) of independent seeds; those that are NaN (undefined at their seed) are left out of ``n``."""
        known = np.array([value for value in values if value == value], dtype=np.float64)
        kept = tuple(known.tolist())
        if not len(known):
            return cls(NAN, None, None, 0)
        mean = float(known.mean())
        if len(known) < 2:
            return cls(mean, None, None, 1, kept)
        if len(known) < ENOUGH:
            return cls(mean, min(kept), max(kept), len(known), kept)
        from scipy.stats import t

        half = float(t.ppf(0.975, len(known) - 1) * known.std(ddof=1) / np.sqrt(len(known)))
        return cls(mean, max(mean - half, within[0]), min(mean + half, within[1]), len(known), kept)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Interval":
        """Of few seeds, ends that an older version computed as Student's are dropped."""
        mean, low, high = (NAN if values[key] is None else float(values[key]) for key in ("mean", "low", "high"))
        kept, n = tuple(map(float, values.get("values", ()))), int(values.get("n", 0))
        if low != low or high != high or (2 <= n < ENOUGH and not kept):
            return cls(mean, None, None, n, kept)
        return cls(mean, low, high, n, kept)

    @property
    def few(self) -> bool:
        """Whether the ends are the least and the greatest seed."""
        return 2 <= self.n < ENOUGH


def test_values(test: PairedTest) -> dict[str, Any]:
    """A test, flat, as CSV and JSON have it."""
    return {
        "difference": test.difference,
        "difference_low": test.low,
        "difference_high": test.high,
        "p_value": test.p_value,
        "wins": test.wins,
        "ties": test.ties,
        "losses": test.losses,
    }


def test_of(values: Mapping[str, Any]) -> PairedTest:
    """A test out of :func:`test_values`."""
    bounds = {"low": values["difference_low"], "high": values["difference_high"]}
    found: PairedTest = from_json(PairedTest, {**values, **bounds})
    return found


@dataclass(frozen=True, slots=True)
class Comparison:
    """One row against the reference, user by user; each user's value is the mean over seeds.

    ``test.difference`` is row minus reference. ``p_holm`` is corrected for all rows compared with the same reference.
    ``effect`` is Cohen's d of paired values, mean(difference) / sd(difference): 0.2 is called small, 0.8 large (Cohen
    1988); NaN where no user differs. ``relative`` is the difference over the reference's mean.
    """

    test: PairedTest
    p_holm: float
    effect: float
    relative: float

    @property
    def significant(self) -> bool:
        return self.p_holm < SIGNIFICANT

    def to_json(self) -> dict[str, Any]:
        """Flat, as CSV has it, too."""
        return test_values(self.test) | {"p_holm": self.p_holm, "effect": self.effect, "relative": self.relative}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Comparison":
        """Out of :meth:`to_json`."""
        return cls(test_of(values), *(from_json(float, values[key]) for key in ("p_holm", "effect", "relative")))


def compare_all(rows: Mapping[str, FloatArray], reference: FloatArray) -> dict[str, Comparison]:
    """Compare every row (n,) with the reference (n,): sign-flip test over users, Holm's correction over the rows.

    The seeds are averaged before the test, so it asks whether the users differ, for these trainings; that another
    training would tell the same is what the intervals over seeds are for.
    """
    tests = {name: paired_test(values, reference) for name, values in rows.items()}
    corrected = holm({name: test.p_value for name, test in tests.items()})
    level = float(reference.mean())
    return {
        name: Comparison(test, corrected[name], _effect(rows[name] - reference), ratio(test.difference, level))
        for name, test in tests.items()
    }


def _effect(differences: FloatArray) -> float:
    spread = float(differences.std(ddof=1)) if len(differences) > 1 else 0.0
    return ratio(float(differences.mean()), spread)


def ratio(part: float, whole: float) -> float:
    """The quotient; NaN over zero."""
    return float(part / whole) if whole else NAN


def contribution(full: Sequence[float], without: Sequence[float]) -> Interval:
    """What a modality adds, relative: (full - without) / without, for each seed, then mean and interval over seeds.

    ``full`` (S,) and ``without`` (S,) are the metric of the whole model and of the model without that modality, at the
    same seeds. The *visual contribution* is taken without the visual modality (text only). It can be negative. Where
    the visual features contain the title, as VIRAL's descriptions do, the honest visual contribution is the one against
    the title-only control.
    """
    return Interval.of([ratio(f - w, w) for f, w in zip(full, without, strict=True)], RELATIVE)


def shares(full: Sequence[float], text_only: Sequence[float], visual_only: Sequence[float]) -> dict[str, Interval]:
    """The shares of text and visual in the metric, (S,) each: the drop when one is removed, over the sum of both drops.

    For each seed: drop(text) = max(0, full - visual only), drop(visual) = max(0, full - text only), and share(m) =
    drop(m) / (drop(text) + drop(visual)); then mean and interval over seeds. A share says what is lost *beside the
    other modality*: what both tell (redundant) is in neither drop, what only both together tell (synergy) is in both.
    Undefined (NaN, left out) at seeds where no removal does harm.
    """
    text, visual = [], []
    for whole, t, v in zip(full, text_only, visual_only, strict=True):
        lost_text, lost_visual = max(0.0, whole - v), max(0.0, whole - t)
        text.append(ratio(lost_text, lost_text + lost_visual))
        visual.append(ratio(lost_visual, lost_text + lost_visual))
    return {"text": Interval.of(text, UNIT), "visual": Interval.of(visual, UNIT)}
