"""What the parts of a trained model add and carry. I items, d width of a branch, F features.

A branch is called "synergy" by its place in the model; these measures ask what it holds.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from viral.data.interactions import Interactions
from viral.lab.information.choice_pairs import FOLDS, item_folds
from viral.lab.information.decomposition import FloatArray, IntArray
from viral.lab.information.regression import components, interaction, ridge
from viral.models.scorers import Scorer

COMPONENTS, PRODUCTS, TARGETS = 64, 6, 32
KERNEL_ITEMS = 1500  # of a nonlinear probe
WIDTHS = (0.25, 0.5, 1.0, 2.0)  # of its kernel, in units of the median squared distance


def contributions(scorer: Scorer, pairs: Interactions) -> dict[str, dict[str, float]]:
    """How much each part of the score adds, over given pairs: mean |contribution| and its share, by part."""
    parts = scorer.split_pairs(pairs.users, pairs.items)
    sizes = {name: float(added.abs().double().mean()) for name, added in parts.items()}
    total = sum(sizes.values()) or 1.0
    return {name: {"mean_absolute": size, "share": size / total} for name, size in sizes.items()}


def carried(branch: FloatArray, text: FloatArray, visual: FloatArray, *, seed: int = 0) -> dict[str, float]:
    """What a representation (I, d) can be predicted from, as R² on items held out (four folds), of its 32 widest axes.

    ``text`` and ``visual``: linearly from either alone; ``linear``: from both, added; ``products``: with products of
    both beside. Then ``either`` = text + visual - linear is predicted by each alone (agreement, the redundant side; a
    negative value: the sources complement each other), and ``interaction`` = products - linear needs both together.
    A synergy proper has a high ``interaction`` and low ``text`` and ``visual``.
    """
    folds = item_folds(len(branch), seed)
    names = ("text", "visual", "linear", "products")
    errors, total = dict.fromkeys(names, 0.0), 0.0
    for fold in range(FOLDS):
        fit, out = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        target = _axes(branch, fit)
        x1, x2 = (components(x, fit, COMPONENTS) for x in (text, visual))
        both = np.hstack([x1, x2])
        found = {name: ridge(x[fit], target[fit], x) for name, x in (("text", x1), ("visual", x2), ("linear", both))}
        found["products"] = found["linear"] + interaction(x1, x2, fit, target[fit] - found["linear"][fit], PRODUCTS)
        for name in names:
            errors[name] += float(((target[out] - found[name][out]) ** 2).sum())
        total += float(((target[out] - target[fit].mean(axis=0)) ** 2).sum())
    r2 = {name: 1 - error / max(total, 1e-12) for name, error in errors.items()}
    extra = {"either": r2["text"] + r2["visual"] - r2["linear"], "interaction": r2["products"] - r2["linear"]}
    return r2 | extra


def _axes(branch: FloatArray, fit: IntArray) -> FloatArray:
    """The widest principal axes, at their own scale: (I, ≤ 32)."""
    center = branch[fit].mean(axis=0)
    _, _, axes = np.linalg.svd(branch[fit] - center, full_matrices=False)
    return np.asarray((branch - center) @ axes[:TARGETS].T)


def probe(branch: FloatArray, attribute: IntArray, *, seed: int = 0) -> dict[str, float]:
    """How well an attribute (I,) is read from a representation (I, d): accuracy on items held out, and of chance.

    ``linear``: ridge on one-hot values, the largest wins. ``nonlinear``: the same in a Gaussian kernel, its width
    chosen on the items that fit it; on at most 1,500 items. ``chance``: the commonest value. ``bits``: the mutual
    information of the attribute and the better reading, corrected by (v-1)²/(2 I ln 2) for v values (Miller 1955).
    """
    rng = np.random.default_rng([seed, len(branch)])
    rows = np.sort(rng.permutation(len(branch))[:KERNEL_ITEMS])
    x, values = branch[rows], attribute[rows]
    folds = item_folds(len(rows), seed)
    linear, nonlinear = np.zeros_like(values), np.zeros_like(values)
    for fold in range(FOLDS):
        fit, out = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        parts = components(x, fit, COMPONENTS)
        target = np.eye(int(values.max()) + 1)[values[fit]]
        linear[out] = ridge(parts[fit], target, parts[out]).argmax(axis=1)
        nonlinear[out] = _kernel(parts[fit], target, parts[out]).argmax(axis=1)
    accuracy = {"linear": float((linear == values).mean()), "nonlinear": float((nonlinear == values).mean())}
    better = linear if accuracy["linear"] >= accuracy["nonlinear"] else nonlinear
    chance = float(np.bincount(values).max() / len(values))
    return accuracy | {"chance": chance, "bits": _bits(better, values)}


def _kernel(x: FloatArray, target: FloatArray, new: FloatArray) -> FloatArray:
    """Kernel ridge with a Gaussian kernel; width and penalty of least leave-one-out error: (n, r), (m, r) -> (m, c)."""
    squared, across = _squared(x, x), _squared(new, x)
    scale = float(np.median(squared)) + 1e-12
    best, found = np.inf, np.zeros((len(new), target.shape[1]))
    offset = target.mean(axis=0)
    for width in WIDTHS:
        values, axes = np.linalg.eigh(np.exp(-squared / (width * scale)))
        projected = axes.T @ (target - offset)
        for penalty in (1e-3, 1e-2, 1e-1, 1.0):
            inverse = 1 / (np.maximum(values, 0) + penalty)
            residual = (axes @ (inverse[:, None] * projected)) / ((axes**2) @ inverse)[:, None]
            if (error := float((residual**2).sum())) < best:
                best = error
                found = np.exp(-across / (width * scale)) @ (axes @ (inverse[:, None] * projected)) + offset
    return found


def _squared(a: FloatArray, b: FloatArray) -> FloatArray:
    return np.maximum((a**2).sum(axis=1)[:, None] - 2 * a @ b.T + (b**2).sum(axis=1), 0.0)


def _bits(read: IntArray, values: IntArray) -> float:
    from viral.lab.information.decomposition import mutual_information

    table = np.zeros((int(max(read.max(), values.max())) + 1,) * 2)
    np.add.at(table, (read, values), 1.0)
    kept = table[table.sum(axis=1) > 0]
    bias = (len(kept) - 1) * ((table.sum(axis=0) > 0).sum() - 1) / (2 * len(values) * np.log(2))
    return max(0.0, mutual_information(kept / len(values)) - bias)


def probes(branches: Mapping[str, FloatArray], attributes: Mapping[str, IntArray], *, seed: int = 0) -> dict[str, Any]:
    """``probe`` of every branch for every attribute."""
    return {
        name: {label: probe(values, attribute, seed=seed) for label, attribute in attributes.items()}
        for name, values in branches.items()
    }
