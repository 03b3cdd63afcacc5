"""Clusters of items in a space, and how well groups keep together there, by cosine. n items, F dimensions, c groups."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from viral.base.errors import DataError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
MOST_CLUSTERS, ITEMS_EACH = 12, 25  # of a map
ROUNDS = 25  # of k-means at most; it has settled or nearly so


@dataclass(frozen=True, slots=True)
class Clustering:
    """Neighbour purity of n items and their silhouette; both are means over items."""

    items: int
    groups: int
    neighbours: int  # how many each item is looked at with
    purity: float
    chance: float  # the purity that is expected of neighbours drawn at random
    silhouette: float  # NaN where there is but one group


def clustering(vectors: npt.NDArray[np.floating[Any]], labels: IntArray, neighbours: int) -> Clustering:
    """Measure vectors (n, F) against groups (n,), in their own space and not in a map of it.

    ``DataError`` where there are fewer than two items. More neighbours than other items are all of them.
    """
    if len(labels) < 2:
        raise DataError(f"{len(labels)} items are too few to look for clusters", where="clusters")
    k = min(neighbours, len(labels) - 1)
    return Clustering(
        items=len(labels),
        groups=len(np.unique(labels)),
        neighbours=k,
        purity=float(neighbour_purity(vectors, labels, k).mean()),
        chance=chance_purity(labels),
        silhouette=float(silhouettes(vectors, labels).mean()),
    )


def neighbour_purity(vectors: npt.NDArray[np.floating[Any]], labels: IntArray, k: int) -> FloatArray:
    """Share of an item's k nearest other items, by cosine, that are of its group: (n, F), (n,) -> (n,).

    p_i = |{j in N_k(i): l_j = l_i}| / k. Its mean is the k-NN purity. Exact, in blocks.
    """
    import torch

    from viral.graph.item_item_graph import nearest_neighbors

    _, found = nearest_neighbors(torch.tensor(np.asarray(vectors, dtype=np.float32)), k + 1)
    others = found[:, 1:].numpy()  # the first is the item itself
    return np.asarray((labels[others] == labels[:, None]).mean(axis=1), dtype=np.float64)


def chance_purity(labels: IntArray) -> float:
    """Σ_c n_c (n_c - 1) / (n (n - 1)): how often another item, drawn at random, is of the same group."""
    counts = np.unique(labels, return_counts=True)[1].astype(np.float64)
    total = counts.sum()
    return float((counts * (counts - 1)).sum() / (total * (total - 1)))


def silhouettes(vectors: npt.NDArray[np.floating[Any]], labels: IntArray) -> FloatArray:
    """Silhouette of every item by the distance 1 - cosine (Rousseeuw 1987): (n, F), (n,) -> (n,); NaN for one group.

    s_i = (b_i - a_i) / max(a_i, b_i), a_i the mean distance to the other items of its group, b_i the least mean
    distance to the items of another group; 0 for an item that is alone in its group. The mean cosine to a group is a
    product with the group's sum of unit vectors, so no n × n table is made: exact in O(n c F).
    """
    values = vectors.astype(np.float64)
    unit = values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)
    _, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if len(counts) < 2:
        return np.full(len(labels), np.nan)
    sums = np.zeros((len(counts), unit.shape[1]))
    np.add.at(sums, codes, unit)
    cosines = unit @ sums.T  # (n, c): summed over each group
    rows = np.arange(len(codes))
    own = cosines[rows, codes] - (unit**2).sum(axis=1)  # without the item itself
    a = 1 - own / np.maximum(counts[codes] - 1, 1)
    distances = 1 - cosines / counts
    distances[rows, codes] = np.inf
    b = distances.min(axis=1)
    scale = np.maximum(np.maximum(a, b), 1e-12)
    return np.where(counts[codes] > 1, (b - a) / scale, 0.0)


def directional_clusters(vectors: "Tensor", seed: int) -> IntArray:
    """Clusters (n,) of vectors (n, D) by cosine, one for every ``ITEMS_EACH`` items and at most ``MOST_CLUSTERS``."""
    import torch

    directions = torch.nn.functional.normalize(vectors, dim=1)
    count = max(1, min(MOST_CLUSTERS, len(directions) // ITEMS_EACH))
    return k_means(directions, count, torch.Generator().manual_seed(seed)).numpy()


def k_means(rows: "Tensor", count: int, generator: "torch.Generator") -> "Tensor":
    """Cluster numbers (n,) of unit rows (n, D), by cosine; the largest cluster is 0.

    Lloyd's rounds from centres drawn far apart (k-means++, Arthur & Vassilvitskii, SODA 2007).
    """
    import torch

    if not len(rows):
        return torch.zeros(0, dtype=torch.int64)
    centres = rows[torch.randint(len(rows), (1,), generator=generator)]
    while len(centres) < count:
        far = (1 - (rows @ centres.T).max(dim=1).values).clamp(min=1e-9)
        centres = torch.cat([centres, rows[torch.multinomial(far, 1, generator=generator)]])
    near = (rows @ centres.T).argmax(dim=1)
    for _ in range(ROUNDS):
        sums = torch.zeros_like(centres).index_add_(0, near, rows)
        filled = sums.norm(dim=1) > 1e-9  # one that has lost all of its items stays where it was
        centres = torch.where(filled[:, None], torch.nn.functional.normalize(sums, dim=1), centres)
        moved = (rows @ centres.T).argmax(dim=1)
        if torch.equal(moved, near):
            break
        near = moved
    order = torch.bincount(near, minlength=count).argsort(descending=True, stable=True)
    return order.argsort()[near]
