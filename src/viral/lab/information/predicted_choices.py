"""How well each source predicts a user's choice among items that were held out. U users, I items, N pairs, d factors.

Whole items are held out, not pairs: an item's words name it, and a model that has seen the item in training would make
of them whatever its buyers make of it; then either source tells everything, and all is redundant.

For each fold of items, the training log without them is factorised (truncated SVD, columns scaled by 1/√degree). A
ridge from features to the factors predicts the factors of the held-out items from text alone, picture alone, the part
that both tell (read from each), and from both; "both" is additive, plus products of a text and a picture direction. A
score is the inner product with the user's profile. So every score is about this user: preferences are not pooled.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from viral.data.interactions import Interactions
from viral.lab.information.choice_pairs import FOLDS, STREAM, Pairs
from viral.lab.information.decomposition import FloatArray, IntArray
from viral.lab.information.regression import components, interaction, ridge, shared

FACTORS, COMPONENTS, PRODUCTS, SHARED, FLOOR = 16, 64, 6, 0.5, 0.05
SOURCES = ("text", "visual", "common_text", "common_visual", "both")


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """What was learnt without the items of one fold."""

    profiles: FloatArray  # (U, d)
    items: IntArray  # the held-out items, ascending
    factors: Mapping[str, FloatArray]  # source -> (held-out items, d)


def learn(train: Interactions, features: tuple[FloatArray, FloatArray], folds: IntArray, seed: int) -> list[Fold]:
    """Fit every fold; ``features`` are text and picture, (I, F1) and (I, F2)."""
    log = _matrix(train)
    return [_learn(log, features, folds == fold, seed) for fold in range(FOLDS)]


def log_factors(train: Interactions, *, seed: int = 0) -> FloatArray:
    """Users by the leading factors of the whole training log: (U, d)."""
    log = _matrix(train)
    degree = np.maximum(np.asarray(log.sum(axis=0)).ravel(), 1.0)
    scaled = log @ sparse.diags(degree**-0.5)
    return np.asarray(scaled @ _factors(scaled, seed)[0])


def _matrix(train: Interactions) -> sparse.csr_matrix:
    """The log as zeros and ones: (U, I); a repeated pair counts once."""
    shape = (train.num_users, train.num_items)
    log = sparse.csr_matrix((np.ones(len(train)), (train.users.numpy(), train.items.numpy())), shape=shape)
    log.data[:] = 1.0
    return log


def _learn(
    log: sparse.csr_matrix, features: tuple[FloatArray, FloatArray], held_out: npt.NDArray[np.bool_], seed: int
) -> Fold:
    degree = np.asarray(log.sum(axis=0)).ravel()
    fit, out = np.flatnonzero(~held_out & (degree > 0)), np.flatnonzero(held_out)
    scaled = log[:, fit] @ sparse.diags(degree[fit] ** -0.5)
    axes, weight = _factors(scaled, seed)  # (n, d), (d,)
    target = axes * weight  # so that factors of noise decide neither penalties nor products
    profiles = scaled @ axes
    profiles /= np.maximum(np.linalg.norm(profiles, axis=1, keepdims=True), 1e-12) * weight
    first, second = (components(x, fit, COMPONENTS) for x in features)
    common_first, common_second = shared(first, second, fit, out, SHARED)
    sources = {"text": first, "visual": second, "common_text": common_first, "common_visual": common_second}
    found = {name: ridge(x[fit], target, x) if x.shape[1] else np.zeros((len(x), 1)) for name, x in sources.items()}
    both = np.hstack([first, second])
    additive = ridge(both[fit], target, both)
    found["both"] = additive + interaction(first, second, fit, target - additive[fit], PRODUCTS)
    wide = {name: np.broadcast_to(values, (len(values), target.shape[1])) for name, values in found.items()}
    return Fold(profiles, out, {name: values[out] for name, values in wide.items()})


def _factors(scaled: sparse.csr_matrix, seed: int) -> tuple[FloatArray, FloatArray]:
    """Right singular vectors of a log (U, n), (n, d), and how far each stands out of the last, in singular values."""
    rank = min(FACTORS, min(scaled.shape) - 1)
    start = np.random.default_rng([seed, STREAM]).standard_normal(min(scaled.shape))
    _, spread, axes = sparse.linalg.svds(scaled, k=rank, v0=start)
    weight = np.sqrt(np.maximum(spread**2 - (1 - FLOOR) * spread.min() ** 2, 1e-12))
    return np.asarray(axes.T), weight


def predict(folds: list[Fold], pairs: Pairs) -> dict[str, FloatArray]:
    """The score of every pair from each source, and from what it says in more than one way: (N,) by name.

    ``text`` and ``visual`` are calibrated from the source's own score and that of its common part; ``both`` from all
    five. The calibration of a fold is fitted on the others (logistic, with squares).
    """
    raw = {name: np.zeros(len(pairs.users)) for name in SOURCES}
    for number, fold in enumerate(folds):
        here = np.flatnonzero(pairs.folds == number)
        rows = np.searchsorted(fold.items, pairs.items[here])
        profiles = fold.profiles[pairs.users[here]]
        for name in SOURCES:
            raw[name][here] = np.einsum("nd,nd->n", profiles, fold.factors[name][rows])
    used = {"text": ("text", "common_text"), "visual": ("visual", "common_visual"), "both": SOURCES}
    joined = {name: _calibrated([raw[source] for source in sources], pairs) for name, sources in used.items()}
    return raw | joined


def _calibrated(scores: list[FloatArray], pairs: Pairs) -> FloatArray:
    """Log-odds of a choice from scores, (N,), fitted for each fold on the others by Newton's method."""
    x = np.stack(scores, axis=1)
    x = (x - x.mean(axis=0)) / np.maximum(x.std(axis=0), 1e-12)
    x = np.column_stack([x, x**2, np.ones(len(x))])
    out = np.zeros(len(x))
    for fold in range(FOLDS):
        known = pairs.folds != fold
        out[~known] = x[~known] @ _logistic(x[known], pairs.chosen[known])
    return out


def _logistic(x: FloatArray, y: IntArray, *, steps: int = 10, penalty: float = 1.0) -> FloatArray:
    """Weights of a logistic regression (N, c), (N,) -> (c,), with a light quadratic penalty."""
    weights = np.zeros(x.shape[1])
    for _ in range(steps):
        p = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        curvature = (x * (p * (1 - p))[:, None]).T @ x + penalty * np.eye(len(weights))
        weights += np.linalg.solve(curvature, x.T @ (y - p) - penalty * weights)
    return weights
