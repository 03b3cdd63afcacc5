"""The item-item graph: cosine k nearest neighbours by features, normalised in the ways of the families."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from viral.graph.functions.sparse import SparseMatrix
from viral.graph.neighbors import nearest_neighbors


def knn_graph(features: Tensor, k: int, present: Tensor | None = None) -> SparseMatrix:
    """Mean over an item's k nearest neighbours, itself included: sparse (I, I), every entry 1/k.

    Binary, not symmetrised, normalised by the row sum on both sides, as the FREEDOM family builds it
    (Zhou & Shen, ACM MM 2023; the row sums are all k). An item that is not ``present`` (I,) keeps itself alone.
    """
    similarities, neighbors = nearest_neighbors(features, k, present)
    near = similarities > -torch.inf  # (I, k)
    counts = near.sum(dim=1)
    offsets = F.pad(counts.cumsum(dim=0), (1, 0))
    num_items = len(neighbors)
    columns = neighbors.masked_fill(~near, num_items).sort(dim=1).values
    values = (1 / counts).repeat_interleave(counts)
    return SparseMatrix(offsets, columns[columns < num_items], values, num_items)


def weighted_knn_graph(features: Tensor, k: int, present: Tensor | None = None) -> SparseMatrix:
    """D^-1/2 W D^-1/2, W an item's k largest cosines, itself included, D their row sums: sparse (I, I).

    Not symmetrised: row sums scale both sides, as the LATTICE and MGCN family builds it (Zhang et al., ACM MM 2021,
    eq. 2 to 4). Negative cosines count 0. An item that is not ``present`` (I,) keeps itself alone.
    """
    similarities, neighbors = nearest_neighbors(features, k, present)
    num_items, k = neighbors.shape
    near = (similarities > -torch.inf).flatten()
    values = similarities.clamp(min=0.0)
    scale = values.sum(dim=1).clamp(min=1e-12).rsqrt()  # an item is its own neighbour, so a sum is 1 at least
    values = values * scale[:, None] * scale[neighbors]
    rows = torch.arange(num_items, device=neighbors.device).repeat_interleave(k)
    return SparseMatrix.of(rows[near], neighbors.flatten()[near], values.flatten()[near], (num_items, num_items))


def weighted_sum(graphs: Mapping[str, SparseMatrix], weights: Mapping[str, float]) -> SparseMatrix:
    """Σ_m w_m A_m over the modalities m, as one sparse matrix; the names must agree."""
    if set(graphs) != set(weights):
        raise ValueError(f"graphs {sorted(graphs)} and weights {sorted(weights)} name different modalities")
    shape = next(iter(graphs.values())).shape
    parts = [(graphs[name].entries(), weights[name]) for name in graphs]
    rows = torch.cat([entries[0] for entries, _ in parts])
    columns = torch.cat([entries[1] for entries, _ in parts])
    values = torch.cat([entries[2] * weight for entries, weight in parts])
    keys, places = torch.unique(rows * shape[1] + columns, return_inverse=True)
    summed = values.new_zeros(len(keys)).index_add_(0, places, values)
    return SparseMatrix.of(torch.div(keys, shape[1], rounding_mode="floor"), keys % shape[1], summed, shape)
