"""Do descriptions belong to their items? Their agreement with the titles, in a sentence encoder's space.

n items, F dimensions. An item's gap is the cosine of its description and its own title, minus that of the description
and other items' titles: 0 on average where descriptions could as well belong to any item.
"""

import re
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from viral.base.errors import DataError
from viral.evaluation import paired_test

FloatArray = npt.NDArray[np.float64]

PERMUTATIONS = 1000
RESAMPLES = 2000
_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement of n descriptions with n titles."""

    items: int
    own: float  # mean cosine with the own title
    other: float  # mean cosine with other items' titles
    difference: float  # own - other: the mean gap
    low: float  # 95 % bootstrap interval of the difference, over items
    high: float
    p_value: float
    nearer: float  # share of (item, other item) whose own title is the nearer one; ties count half
    gaps: FloatArray = field(repr=False)  # (n,)

    def to_json(self) -> dict[str, Any]:
        """Every number but the items' own."""
        return {name: value for name, value in asdict(self).items() if name != "gaps"}


def agreement(
    described: npt.NDArray[np.floating[Any]], titles: npt.NDArray[np.floating[Any]], *, seed: int
) -> Agreement:
    """Compare descriptions (n, F) with titles (n, F), row by row against shuffled rows.

    The test is one-sided: the mean cosine of matched pairs against that of ``PERMUTATIONS`` seeded permutations of the
    titles; p = (1 + number as high) / (1 + permutations), so never below 0.001 (Phipson & Smyth 2010). ``other`` is the
    mean over all other items' titles. Holds n × n cosines at once. ``DataError`` for fewer than two items,
    ``ValueError`` where the shapes differ.
    """
    if described.shape != titles.shape or described.ndim != 2:
        raise ValueError(f"descriptions {described.shape} and titles {titles.shape}")
    count = len(described)
    if count < 2:
        raise DataError(f"{count} items are too few to compare", where="agreement", hint="describe more items")
    cosines = unit_rows(described) @ unit_rows(titles).T  # (n, n)
    own = cosines.diagonal().astype(np.float64)
    other = (cosines.sum(axis=1, dtype=np.float64) - own) / (count - 1)
    below = (cosines < own[:, None]).sum(axis=1)
    equal = (cosines == own[:, None]).sum(axis=1) - 1  # an item's own title is not another
    rng = np.random.default_rng(seed)
    everybody = np.arange(count)
    shuffled = np.array(
        [cosines[everybody, rng.permutation(count)].mean(dtype=np.float64) for _ in range(PERMUTATIONS)]
    )
    gaps = own - other
    means = [gaps[rng.integers(0, count, count)].mean() for _ in range(RESAMPLES)]
    low, high = np.quantile(means, [0.025, 0.975])
    return Agreement(
        items=count,
        own=float(own.mean()),
        other=float(other.mean()),
        difference=float(gaps.mean()),
        low=float(low),
        high=float(high),
        p_value=float((1 + (shuffled >= own.mean() - 1e-12).sum()) / (1 + PERMUTATIONS)),
        nearer=float(((below + equal / 2) / (count - 1)).mean()),
        gaps=gaps,
    )


def partners(count: int, *, seed: int) -> npt.NDArray[np.int64]:
    """Another item for every item, each once (one random cycle through all): (n,)."""
    order = np.random.default_rng(seed).permutation(count)
    found = np.empty(count, dtype=np.int64)
    found[order] = np.roll(order, -1)
    return found


def without_words(text: str, *titles: str) -> str:
    """``text`` without every word that stands in one of ``titles`` (whole words, any case), and without marks."""
    known = {word.casefold() for title in titles for word in _WORD.findall(title)}
    return " ".join(word for word in _WORD.findall(text) if word.casefold() not in known)


def agreement_by_meaning(
    bare: npt.NDArray[np.floating[Any]],
    own: npt.NDArray[np.floating[Any]],
    other: npt.NDArray[np.floating[Any]],
    *,
    seed: int,
) -> Agreement:
    """Compare descriptions without the words of two titles with these two: an item's own and its partner's, (n, F).

    A describer that knows the title may repeat it, and then the two agree whatever the picture shows. Here neither
    title shares a word with what is left, so own and other are alike but for the meaning. The p-value is that of the
    two-sided sign-flip test over items, the interval a bootstrap (``viral.evaluation.paired_test``).
    """
    left, mine, theirs = (unit_rows(values).astype(np.float64) for values in (bare, own, other))
    first, second = (left * mine).sum(axis=1), (left * theirs).sum(axis=1)
    test = paired_test(first, second, seed=seed)
    return Agreement(
        items=len(first),
        own=float(first.mean()),
        other=float(second.mean()),
        difference=test.difference,
        low=test.low,
        high=test.high,
        p_value=test.p_value,
        nearer=(test.wins + test.ties / 2) / len(first),
        gaps=first - second,
    )


def unit_rows(values: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float32]:
    """Rows of length one; a row of zeros stays one."""
    lengths = np.linalg.norm(values.astype(np.float64), axis=1, keepdims=True)
    return np.asarray(values / np.maximum(lengths, 1e-12), dtype=np.float32)
