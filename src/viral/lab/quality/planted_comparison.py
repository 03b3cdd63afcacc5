"""Descriptions of a planted shop against its truth: what is named, and what can be read from a vector of the words.

A items' attribute; "accuracy" is the mean over colour, pattern and tag of the share of items in which the product's
value is named and no other value of that attribute is (``viral.lab.quality.named_attributes.Judgement.exact``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from viral.data.dataset import Dataset
from viral.enrich import Description
from viral.evaluation import paired_test
from viral.lab.quality.named_attributes import ATTRIBUTES, TRUTH_FILE, Judgement, judge

FloatArray = npt.NDArray[np.float64]

RESAMPLES = 2000
READ = ("object", *ATTRIBUTES)
SUMMARIES = ("exact", "f1", "right")  # accuracy, strictly and by degrees; and naming it at all


@dataclass(frozen=True, slots=True)
class Named:
    """Shares of the items; ``foreign`` of those in which another thing has a value of the attribute."""

    right: float
    foreign: float
    invented: float
    exact: float
    f1: float

    @classmethod
    def of(cls, found: Judgement) -> "Named":
        known = found.foreign[~np.isnan(found.foreign)]
        return cls(
            right=float(found.right.mean()),
            foreign=float(known.mean()) if len(known) else float("nan"),
            invented=float(found.invented.mean()),
            exact=float(found.exact.mean()),
            f1=float(found.f1.mean()),
        )


@dataclass(frozen=True, slots=True)
class Gain:
    """How much more one prompt names rightly than the plain one, item by item."""

    plain: float
    guided: float
    difference: float
    low: float  # 95 % bootstrap interval of the difference, over items
    high: float
    p_value: float  # sign-flip test, two-sided
    relative: float  # difference / plain; infinite where plain is 0 and guided is not
    relative_low: float  # 95 % bootstrap interval, over items
    relative_high: float


@dataclass(frozen=True, slots=True)
class Planted:
    """What each prompt's descriptions name, on the items that all of them describe."""

    items: int
    by_prompt: Mapping[str, Mapping[str, Named]]  # prompt → attribute
    summaries: Mapping[str, Mapping[str, float]]  # prompt → one of ``SUMMARIES``: mean over colour, pattern and tag
    gains: Mapping[str, Mapping[str, Gain]]  # prompt → one of ``SUMMARIES``, against plain
    read: Mapping[str, Mapping[str, Mapping[str, float]]]  # prompt → attribute → accuracies of a probe

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def has_truth(dataset: Dataset) -> bool:
    """Whether the data set is a planted shop."""
    return (dataset.path / TRUTH_FILE).is_file()


def planted(
    dataset: Dataset,
    described: Mapping[str, Sequence[Description]],
    vectors: Mapping[str, npt.NDArray[np.floating[Any]]],
    *,
    baseline: str,
    seed: int,
) -> Planted:
    """Judge each prompt's descriptions (all of the same items, in the same order, all done) against the truth.

    ``vectors`` are the descriptions' own, (n, F) by prompt, without the titles. ``DataError`` where there is no truth.
    """
    judged = {prompt: judge(dataset, rows)[1] for prompt, rows in described.items()}
    per_item = {prompt: _summaries(found) for prompt, found in judged.items()}
    return Planted(
        items=len(next(iter(described.values()), ())),
        by_prompt={prompt: {name: Named.of(one) for name, one in found.items()} for prompt, found in judged.items()},
        summaries={
            prompt: {name: float(v.mean()) for name, v in values.items()} for prompt, values in per_item.items()
        },
        gains={
            prompt: {name: gain(per_item[baseline][name], values[name], seed=seed) for name in SUMMARIES}
            for prompt, values in per_item.items()
            if baseline in per_item and prompt != baseline
        },
        read=_read(dataset, described, vectors, seed),
    )


def _summaries(found: Mapping[str, Judgement]) -> dict[str, FloatArray]:
    """Each summary by item: mean over the attributes, (n,)."""
    return {
        name: np.mean([np.asarray(getattr(found[a], name), dtype=np.float64) for a in ATTRIBUTES], axis=0)
        for name in SUMMARIES
    }


def gain(plain: FloatArray, guided: FloatArray, *, seed: int) -> Gain:
    """Compare two prompts item by item: (n,), (n,). The relative gain's interval resamples items for both at once."""
    test = paired_test(guided, plain, seed=seed)
    rng = np.random.default_rng(seed)
    picks = rng.integers(0, len(plain), (RESAMPLES, len(plain)))
    ratios = [_relative(plain[pick].mean(), guided[pick].mean()) for pick in picks]
    low, high = np.quantile(ratios, [0.025, 0.975], method="inverted_cdf")  # no arithmetic with infinities
    before, after = float(plain.mean()), float(guided.mean())
    return Gain(
        plain=before,
        guided=after,
        difference=test.difference,
        low=test.low,
        high=test.high,
        p_value=test.p_value,
        relative=_relative(before, after),
        relative_low=float(low),
        relative_high=float(high),
    )


def _relative(before: float, after: float) -> float:
    if before == 0:
        return float("inf") if after > 0 else 0.0
    return (after - before) / before


def _read(
    dataset: Dataset,
    described: Mapping[str, Sequence[Description]],
    vectors: Mapping[str, npt.NDArray[np.floating[Any]]],
    seed: int,
) -> dict[str, dict[str, dict[str, float]]]:
    """What a probe reads of each attribute from the vectors, on items held out; nothing where items are too few."""
    from viral.lab.information.branch_content import probe
    from viral.lab.information.choice_pairs import LEAST_ITEMS
    from viral.lab.information.planted_truth import planted_attributes

    ids = [row.item_id for row in next(iter(described.values()), ())]
    if len(ids) < LEAST_ITEMS:
        return {}
    codes = planted_attributes(dataset, ids, READ)
    return {
        prompt: {name: probe(values.astype(np.float64), code, seed=seed) for name, code in codes.items()}
        for prompt, values in vectors.items()
    }
