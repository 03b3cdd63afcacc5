"""Predicting a table of item vectors from features: ridge, shared directions, and products of two sources.

Shapes: n items to fit, m items, F features, r components, d target dimensions.
"""

from dataclasses import dataclass

import numpy as np

from viral.lab.information.decomposition import FloatArray, IntArray

PENALTIES = 10.0 ** np.arange(-5, 3.1, 0.5)
POWER_STEPS, STARTS, BLOCK = 20, 4, 1024
SMALL = 0.05  # a component this small, relative to the largest, is amplified no further


def components(features: FloatArray, fit: IntArray, most: int) -> FloatArray:
    """Principal components at about unit variance, from the rows ``fit`` (indices): (m, F) -> (m, r ≤ most).

    At most one component for every eight rows, so that directions are not found in noise.
    """
    center = features[fit].mean(axis=0)
    _, spread, axes = np.linalg.svd(features[fit] - center, full_matrices=False)
    rank = min(most, max(4, len(fit) // 8), int((spread > 1e-6 * max(spread[0], 1e-12)).sum()))
    if not rank:
        return np.zeros((len(features), 1))
    scale = (spread[:rank] + SMALL * spread[0]) / np.sqrt(len(fit))
    return np.asarray((features - center) @ axes[:rank].T / scale)


def ridge(x: FloatArray, target: FloatArray, everywhere: FloatArray) -> FloatArray:
    """Ridge regression with the penalty of least leave-one-out error: (n, r), (n, d), (m, r) -> (m, d)."""
    mean = x.mean(axis=0)
    left, spread, axes = np.linalg.svd(x - mean, full_matrices=False)
    projected, offset = left.T @ target, target.mean(axis=0)
    errors = []
    for penalty in PENALTIES:
        kept = spread**2 / (spread**2 + penalty * len(x))
        leverage = (left**2) @ kept + 1 / len(x)
        residual = (target - offset - left @ (kept[:, None] * projected)) / (1 - np.minimum(leverage, 0.999))[:, None]
        errors.append(float((residual**2).sum()))
    penalty = PENALTIES[int(np.argmin(errors))] * len(x)
    weights = axes.T @ ((spread / (spread**2 + penalty))[:, None] * projected)
    return np.asarray((everywhere - mean) @ weights + offset)


def shared(
    first: FloatArray, second: FloatArray, fit: IntArray, check: IntArray, least: float
) -> tuple[FloatArray, FloatArray]:
    """Directions shared by both sources, read from each: (m, r1), (m, r2) -> (m, c), (m, c).

    Canonical directions of the rows ``fit`` whose correlation on the rows ``check``, which did not choose them, is at
    least ``least``: a soft form of the common part of Gács & Körner (1973), which would ask for a correlation of one.
    """
    left, _, right = np.linalg.svd(first[fit].T @ second[fit], full_matrices=False)
    a, b = first @ left, second @ right.T
    with np.errstate(invalid="ignore", divide="ignore"):
        inner = ((a[check] - a[check].mean(axis=0)) * (b[check] - b[check].mean(axis=0))).mean(axis=0)
        correlation = inner / (a[check].std(axis=0) * b[check].std(axis=0))
    kept = np.nan_to_num(correlation) >= least
    return a[:, kept], b[:, kept]


@dataclass(frozen=True, slots=True, eq=False)
class Product:
    """One product of a direction of each source, centred, and what a unit of it adds to the target."""

    first: FloatArray  # (r1,)
    second: FloatArray  # (r2,)
    mean: float
    gain: FloatArray  # (d,)

    def of(self, first: FloatArray, second: FloatArray) -> FloatArray:
        """(m, r1), (m, r2) -> (m, d)."""
        return np.outer((first @ self.first) * (second @ self.second) - self.mean, self.gain)


def products(first: FloatArray, second: FloatArray, target: FloatArray, most: int) -> list[Product]:
    """Greedy products (a·x1)(b·x2) that explain the target (n, d), by the leading term of its third moment.

    An exclusive-or of two bits is one such product; a free matrix of interactions would need r1 · r2 items to find it,
    this needs about (√r1 + √r2)². Gains that are no larger than twice their standard error count as none.
    """
    rest, found = target.copy(), []
    for _ in range(most):
        a, b = _leading(_moment(first, second, rest))
        z = (first @ a) * (second @ b)
        centred = z - z.mean()
        size = max(float(centred @ centred), 1e-12)
        gain = centred @ rest / size
        variance = ((rest - np.outer(centred, gain)) ** 2).mean(axis=0) / size
        gain *= np.maximum(0.0, 1 - 4 * variance / np.maximum(gain**2, 1e-300))
        rest -= np.outer(centred, gain)
        found.append(Product(a, b, float(z.mean()), gain))
    return found


def _moment(first: FloatArray, second: FloatArray, target: FloatArray) -> FloatArray:
    """Mean of target × first × second over the rows, in blocks of them: (d, r1, r2)."""
    total = np.zeros((target.shape[1], first.shape[1], second.shape[1]))
    for start in range(0, len(first), BLOCK):
        rows = slice(start, start + BLOCK)
        total += np.tensordot(target[rows], first[rows, :, None] * second[rows, None, :], axes=(0, 0))
    return total / len(first)


def _leading(moment: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The best rank-one directions of a (d, r1, r2) tensor, by alternation from its strongest slices."""
    slices = np.linalg.svd(moment)
    starts = np.argsort(-slices.S[:, 0])[:STARTS]
    found = [_alternate(moment, slices.U[start, :, 0], slices.Vh[start, 0]) for start in starts]
    _, a, b = max(found, key=lambda each: each[0])
    return a, b


def _alternate(moment: FloatArray, a: FloatArray, b: FloatArray) -> tuple[float, FloatArray, FloatArray]:
    """Alternate between the target's direction and the sources': the size of the term, a and b."""
    size = 0.0
    for _ in range(POWER_STEPS):
        u = moment @ b @ a
        size = float(np.linalg.norm(u))
        if size < 1e-15:
            break
        matrix = np.tensordot(u / size, moment, axes=(0, 0))
        a = matrix @ b
        a /= np.linalg.norm(a)
        b = a @ matrix
        b /= np.linalg.norm(b)
    return size, a, b


def interaction(first: FloatArray, second: FloatArray, fit: IntArray, target: FloatArray, most: int) -> FloatArray:
    """What products of both sources add to the target: (m, r1), (m, r2), targets of the rows ``fit`` (n, d) -> (m, d).

    As many products as lessen the error on thirds of the rows that did not choose them; often none.
    """
    x1, x2 = first[fit], second[fit]
    part = np.arange(len(fit)) % 3
    errors = np.zeros(most + 1)
    for third in range(3):
        out = part == third
        rest = target[out].copy()
        errors[0] += (rest**2).sum()
        for number, product in enumerate(products(x1[~out], x2[~out], target[~out], most), start=1):
            rest -= product.of(x1[out], x2[out])
            errors[number] += (rest**2).sum()
    chosen = products(x1, x2, target, int(errors.argmin()))
    return np.asarray(sum((product.of(first, second) for product in chosen), np.zeros((len(first), target.shape[1]))))
