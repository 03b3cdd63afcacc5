"""Is the difference between two models more than luck? Paired per user, because the same users rank for both."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PairedTest:
    """Mean of a - b, its 95 % bootstrap interval over users, and the two-sided p of the sign-flip test."""

    difference: float
    low: float
    high: float
    p_value: float
    wins: int
    ties: int
    losses: int


def paired_test(a: FloatArray, b: FloatArray, *, seed: int = 0, rounds: int = 10_000) -> PairedTest:
    """Compare two models user by user (n,), (n,): sign-flip randomisation test and paired bootstrap.

    Under the null hypothesis a user's two values may be exchanged; p is the share of random exchanges whose mean is at
    least as far from zero, counting the observed one (so p ≥ 1 / (rounds + 1)). Fisher 1935; Smucker et al., CIKM 2007.
    """
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(f"paired values have shapes {a.shape} and {b.shape}")
    difference = np.asarray(a, dtype=np.float64) - b
    moving = difference[difference != 0]  # ties keep their zero under every exchange
    rng = np.random.default_rng(seed)
    observed = difference.mean()
    extreme, means = 0, []
    for count in _batches(rounds, len(difference)):
        signs = rng.integers(0, 2, (count, len(moving)), dtype=np.int8) * 2.0 - 1
        extreme += int((np.abs(signs @ moving) / len(difference) >= abs(observed) - 1e-15).sum())
        picks = rng.integers(0, len(difference), (count, len(difference)))
        means.append(difference[picks].mean(axis=1))
    return _tested(observed, np.concatenate(means), extreme, moving, len(difference))


def quick_paired_test(a: FloatArray, b: FloatArray, *, seed: int = 0, rounds: int = 10_000) -> PairedTest:
    """:func:`paired_test` in a time that depends on the m users who differ and not on all n: for tables of many tests.

    The same tests with other draws. Of n users drawn with replacement, Binomial(n, m / n) differ, and those are m users
    drawn with replacement; so the others, whose difference is zero, need not be drawn.
    """
    difference = np.asarray(a, dtype=np.float64) - b
    n, moving = len(difference), difference[difference != 0]
    if not len(moving):
        return PairedTest(0.0, 0.0, 0.0, 1.0, 0, n, 0)
    rng = np.random.default_rng(seed)
    observed = abs(moving.sum())
    extreme, sums = 0, []
    for count in _batches(rounds, len(moving)):
        signs = rng.integers(0, 2, (count, len(moving)), dtype=np.int8) * 2.0 - 1
        extreme += int((np.abs(signs @ moving) >= observed - 1e-15 * n).sum())
        drawn = rng.binomial(n, len(moving) / n, count)
        owners = np.repeat(np.arange(count), drawn)
        values = moving[rng.integers(0, len(moving), len(owners))]
        sums.append(np.bincount(owners, weights=values, minlength=count))
    return _tested(moving.sum() / n, np.concatenate(sums) / n, extreme, moving, n)


def _tested(mean: np.float64, bootstrap: FloatArray, extreme: int, moving: FloatArray, n: int) -> PairedTest:
    """The test of n users, of whom those ``moving`` differ: ``bootstrap`` has a mean for each round."""
    low, high = np.quantile(bootstrap, [0.025, 0.975])
    wins, p = int((moving > 0).sum()), (extreme + 1) / (len(bootstrap) + 1)
    return PairedTest(float(mean), float(low), float(high), p, wins, n - len(moving), len(moving) - wins)


def least_p(test: PairedTest) -> float:
    """The least p that a sign-flip test of these m users who differ can have, 2 / 2^m: all of them on one side.

    Where it is not below the level, the test says nothing, however large the difference.
    """
    return float(min(1.0, 2.0 ** (1 - test.wins - test.losses)))


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Holm's step-down correction for several tests (Holm 1979): adjusted p by name."""
    adjusted, worst = {}, 0.0
    for rank, (name, p) in enumerate(sorted(p_values.items(), key=lambda pair: pair[1])):
        worst = max(worst, min(1.0, p * (len(p_values) - rank)))
        adjusted[name] = worst
    return {name: adjusted[name] for name in p_values}


def _batches(rounds: int, width: int) -> list[int]:
    """Rounds cut into batches of at most about 4 million numbers."""
    size = max(1, 4_000_000 // max(1, width))
    return [min(size, rounds - start) for start in range(0, rounds, size)]
