"""The numbers of a study: means over seeds with intervals, tests over users, and what a modality adds.

Shapes: S seeds, n users.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from viral.evaluation import PairedTest, holm, paired_test

FloatArray = npt.NDArray[np.float64]
NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over seeds and its 95 % interval: mean ± t(0.975, n-1) · s / √n (Student 1908); no ends where n < 2."""

    mean: float
    low: float | None
    high: float | None
    n: int

    @classmethod
    def of(cls, values: Sequence[float]) -> "Interval":
        """Of values (S,) of independent seeds; those that are NaN (undefined at their seed) are left out of ``n``."""
        known = np.array([value for value in values if value == value], dtype=np.float64)
        if not len(known):
            return cls(NAN, None, None, 0)
        mean = float(known.mean())
        if len(known) < 2:
            return cls(mean, None, None, 1)
        from scipy.stats import t

        half = float(t.ppf(0.975, len(known) - 1) * known.std(ddof=1) / np.sqrt(len(known)))
        return cls(mean, mean - half, mean + half, len(known))


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
    return Interval.of([ratio(f - w, w) for f, w in zip(full, without, strict=True)])


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
    return {"text": Interval.of(text), "visual": Interval.of(visual)}
