"""L3AE solved item by item over the few items that matter to it: no dense matrix of items by items, at any size.

As SLIM with its neighbourhoods (Ning & Karypis, ICDM 2011): the weights of a column are those of its candidates
alone, the items of most common users and those nearest by features. With all items as candidates it is
:func:`viral.models.families.closed_form.item_weights`. Shapes: I items, n candidates, F features.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

from viral.base.progress import stage
from viral.data.inputs import ModelInputs
from viral.graph import SparseMatrix, cooccurrence_graph, nearest_neighbors
from viral.models.families.closed_form import Penalties, gram_rows, user_weights

if TYPE_CHECKING:
    import scipy.sparse as sp

BATCH = 256  # items between two steps of the bar
Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def local_weights(inputs: ModelInputs, modalities: Sequence[str], num_candidates: int, by: Penalties) -> SparseMatrix:
    """W (I, I), row i the weights of a chosen i, at most ``num_candidates`` entries in a column.

    Column j over its candidates N is (G_NN + Λ_N)⁻¹ (G_Nj + β s), s = (K_NN + λ_f)⁻¹ K_Nj, with G, Λ and K as in
    :mod:`viral.models.baselines.l3ae`.
    """
    import scipy.sparse as sp

    gram = sp.vstack([rows for _, rows in gram_rows(inputs.train, user_weights(inputs.train, by.user_power))]).tocsr()
    diagonal = gram.diagonal()
    beta = (by.feature_weight or 0.0) if modalities else 0.0
    extra = by.reg_weight + beta + by.dropout / (1 - by.dropout) * diagonal
    unit = _features(inputs, modalities)
    near = _candidates(inputs, modalities, num_candidates)
    rows, columns, values = [], [], []
    with stage("memory: solve item by item", inputs.train.num_items) as advance:
        for start in range(0, inputs.train.num_items, BATCH):
            block = range(start, min(start + BATCH, inputs.train.num_items))
            for j in (j for j in block if len(near[j])):
                left, right = _system(gram, extra, j, near[j])
                if beta:
                    right = right + beta * _target(unit, j, near[j], by.feature_reg)
                rows.append(near[j])
                columns.append(np.full(len(near[j]), j))
                values.append(np.linalg.solve(left, right))
            advance(len(block))
    if not rows:
        nothing = torch.zeros(0, dtype=torch.int64)
        return SparseMatrix.of(nothing, nothing, torch.zeros(0), gram.shape)
    row, column, value = (torch.from_numpy(np.concatenate(part)) for part in (rows, columns, values))
    return SparseMatrix.of(row, column, value.float(), gram.shape)


def _features(inputs: ModelInputs, modalities: Sequence[str]) -> npt.NDArray[np.float32]:
    """All modalities side by side, so that inner products are K: (I, ΣF)."""
    share = max(1, len(modalities)) ** -0.5
    sides = [F.normalize(inputs.feature(m), dim=1) * inputs.given(m)[:, None] * share for m in modalities]
    return torch.cat(sides, dim=1).numpy() if sides else np.zeros((inputs.train.num_items, 0), dtype=np.float32)


def _candidates(inputs: ModelInputs, modalities: Sequence[str], count: int) -> list[Ids]:
    """For each item at most ``count`` others: a quarter by features where there are any, the rest by common users."""
    by_features = count // (4 * len(modalities)) if modalities else 0
    common = cooccurrence_graph(inputs.train, count - by_features * len(modalities))
    found = np.split(common.columns.numpy(), common.offsets[1:-1].numpy())
    for name in modalities if by_features else ():
        likeness, near = nearest_neighbors(inputs.feature(name), by_features + 1, inputs.given(name))
        there = (likeness > -torch.inf).numpy()
        found = [np.concatenate([own, n[t]]) for own, n, t in zip(found, near.numpy(), there, strict=True)]
    return [np.setdiff1d(own, [j]).astype(np.int64) for j, own in enumerate(found)]


def _system(gram: "sp.csr_array", extra: npt.NDArray[np.float32], item: int, near: Ids) -> tuple[Floats, Floats]:
    """G_NN + Λ_N (n, n) and G_Nj (n,)."""
    rows = gram[near]
    left = rows[:, near].toarray().astype(np.float64)
    left[np.diag_indices(len(near))] += extra[near]
    return left, rows[:, [item]].toarray()[:, 0].astype(np.float64)


def _target(unit: npt.NDArray[np.float32], item: int, near: Ids, reg_weight: float) -> Floats:
    """(K_NN + λ_f)⁻¹ K_Nj: (n,)."""
    x = unit[near].astype(np.float64)
    return np.linalg.solve(x @ x.T + reg_weight * np.eye(len(near)), x @ unit[item].astype(np.float64))
