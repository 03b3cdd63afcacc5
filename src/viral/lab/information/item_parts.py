"""What the two modalities say about the choices of each item. N pairs, I items.

The pointwise value of a pair (x, y) is log2 p(x, y) / (p(x) p(y)), whose mean over pairs is I(X; Y). For the union it
is the same of the join J (see ``discrete``), averaged over the j from which x may have been drawn, p(j | x, y); from
text and from picture in halves. The four parts follow by the same sums as overall. An item's value is the mean over its
pairs, chosen and not; the mean of items, weighted by their pairs, is the plug-in estimate overall, exactly. A part of a
single item may well be negative: its cell misleads about it.
"""

from collections.abc import Callable

import numpy as np

from viral.lab.information.choice_pairs import Pairs
from viral.lab.information.decomposition import PARTS, FloatArray, IntArray, Parts, garbling, join, mutual_information
from viral.lab.information.estimation import PairCells


def item_parts(labels: PairCells, pairs: Pairs, num_items: int) -> dict[str, dict[str, FloatArray]]:
    """Parts of every item by definition and name, in bits (I,), NaN for an item without pairs; ``pairs``: their number.

    For labels of a single group.
    """
    y = labels.chosen
    tables = {name: _table(cells, y) for name, cells in (("text", labels.text), ("visual", labels.visual))}
    union = join(tables["text"], tables["visual"])
    text, visual, both = (_local(_table(x, y))[x, y] for x in (labels.text, labels.visual, labels.both))
    halves = [
        _union_local(union, tables["text"])[labels.text, y],
        _union_local(union, tables["visual"])[labels.visual, y],
    ]
    values = {"broja": _by_name(Parts.of, text, visual, both, (halves[0] + halves[1]) / 2)}
    if labels.common_text is not None and labels.common_visual is not None:
        readings = (labels.common_text, labels.common_visual)
        weaker = min(readings, key=lambda cells: mutual_information(_table(cells, y)))
        values["common"] = _by_name(Parts.of_common, text, visual, both, _local(_table(weaker, y))[weaker, y])
    count = np.bincount(pairs.items, minlength=num_items)
    return {name: {k: _mean(v, pairs.items, count) for k, v in parts.items()} for name, parts in values.items()} | {
        "pairs": {"count": count.astype(np.float64)}
    }


def _by_name(of: Callable[..., Parts], *values: FloatArray) -> dict[str, FloatArray]:
    """The sums of ``Parts`` are linear: they hold for arrays, pair by pair."""
    parts = of(*values)
    return {name: getattr(parts, name) for name in PARTS}


def _mean(values: FloatArray, items: IntArray, count: IntArray) -> FloatArray:
    total = np.bincount(items, weights=values, minlength=len(count))
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _table(cells: IntArray, y: IntArray) -> FloatArray:
    """p(x, y): (K, 2)."""
    return np.bincount(cells * 2 + y, minlength=2 * (int(cells.max()) + 1)).reshape(-1, 2) / len(y)


def _local(p: FloatArray) -> FloatArray:
    """log2 p(x, y) / (p(x) p(y)), 0 where p(x, y) is: (K, 2)."""
    independent = p.sum(axis=1, keepdims=True) * p.sum(axis=0)
    ratio = np.divide(p, independent, out=np.ones_like(p), where=p > 0)
    return np.asarray(np.log2(ratio))


def _union_local(union: FloatArray, p: FloatArray) -> FloatArray:
    """The pointwise values of J seen from X, Σ_j p(j | x, y) log2 p(j, y) / (p(j) p(y)): (K, 2)."""
    filled = p.sum(axis=1) > 0
    channel = np.zeros((len(union), len(p)))
    channel[:, filled] = garbling(union, p[filled])  # K(x | j)
    weight = channel.T[:, :, None] * union[None]  # p(j, x, y) by x, j, y
    total = weight.sum(axis=1)
    summed = (weight * _local(union)[None]).sum(axis=1)
    return np.divide(summed, total, out=np.zeros_like(p), where=total > 0)
