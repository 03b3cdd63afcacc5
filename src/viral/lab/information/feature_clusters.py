"""Clustered BROJA: k-means cells of the features, groups of users by preference (CVX of Liang et al., NeurIPS 2023).

Clusters are fitted on items that training saw, groups on what the run learnt from training; counts come from pairs held
out of it. The clusters know nothing of choices: where the largest differences between items are not the ones that users
choose by (as with the kinds of objects in the planted shop), little information is left in them.
"""

import numpy as np

from viral.base.errors import UsageError
from viral.lab.information.choice_pairs import STREAM, Pairs
from viral.lab.information.decomposition import FloatArray, IntArray
from viral.lab.information.estimation import PairCells

RESTARTS, STEPS, BLOCK = 4, 50, 4096


def kmeans(x: FloatArray, count: int, fit: IntArray, seed: int) -> IntArray:
    """Nearest of ``count`` centres, found by Lloyd's steps from k-means++ on the rows ``fit``: (m, F) -> (m,).

    The best of four starts; raises ``UsageError`` for more centres than rows.
    """
    if not 1 <= count <= len(fit):
        raise UsageError(f"{count} clusters of {len(fit)} rows", hint="ask for fewer --clusters or --groups")
    rng = np.random.default_rng([seed, STREAM, 3, count])
    rows = x[fit]
    best = min((_lloyd(rows, count, rng) for _ in range(RESTARTS)), key=lambda found: found[0])
    return _nearest(x, best[1])[0]


def _lloyd(x: FloatArray, count: int, rng: np.random.Generator) -> tuple[float, FloatArray]:
    """The sum of squared distances, and the centres (count, F)."""
    centres = _spread_out(x, count, rng)
    for _ in range(STEPS):
        labels, distance = _nearest(x, centres)
        sizes = np.bincount(labels, minlength=count)
        sums = np.zeros_like(centres)
        np.add.at(sums, labels, x)
        moved = np.where(sizes[:, None] > 0, sums / np.maximum(sizes, 1)[:, None], x[distance.argmax()])
        if np.allclose(moved, centres):
            break
        centres = moved
    return float(_nearest(x, centres)[1].sum()), centres


def _spread_out(x: FloatArray, count: int, rng: np.random.Generator) -> FloatArray:
    """k-means++ (Arthur & Vassilvitskii 2007): each centre a row drawn by its squared distance from the others."""
    centres = x[rng.integers(len(x))][None]
    for _ in range(count - 1):
        distance = _nearest(x, centres)[1]
        total = distance.sum()
        row = rng.choice(len(x), p=distance / total) if total > 0 else rng.integers(len(x))
        centres = np.concatenate([centres, x[row][None]])
    return centres


def _nearest(x: FloatArray, centres: FloatArray) -> tuple[IntArray, FloatArray]:
    """The nearest centre of each row and its squared distance: (m,), (m,)."""
    labels, distances = [], []
    for start in range(0, len(x), BLOCK):
        rows = x[start : start + BLOCK]
        squared = (rows**2).sum(axis=1)[:, None] - 2 * rows @ centres.T + (centres**2).sum(axis=1)
        labels.append(squared.argmin(axis=1))
        distances.append(np.maximum(squared.min(axis=1), 0.0))
    return np.concatenate(labels), np.concatenate(distances)


def user_groups(profiles: FloatArray, count: int, seed: int) -> IntArray:
    """Users by preference: k-means of their directions (U, d) -> (U,). Pooled, opposite preferences would cancel."""
    unit = profiles / np.maximum(np.linalg.norm(profiles, axis=1, keepdims=True), 1e-12)
    return kmeans(unit, count, np.arange(len(unit)), seed)


def cluster_labels(
    features: tuple[FloatArray, FloatArray], pairs: Pairs, groups: IntArray, fit: IntArray, count: int, seed: int
) -> PairCells:
    """Cells of pairs: ``count`` clusters of the text features (I, F1), as many of the visual (I, F2), both together."""
    text, visual = (kmeans(x, count, fit, seed)[pairs.items] for x in features)
    return PairCells(text, visual, text * count + visual, pairs.chosen, pairs.users, groups[pairs.users])
