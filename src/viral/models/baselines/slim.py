"""SLIM: item-item weights, few and none below zero, learnt item by item.

Ning, Karypis, "SLIM: Sparse Linear Methods for Top-N Recommender Systems", ICDM 2011. Each item is one elastic net of
scikit-learn over the items that can have a weight at all. Shapes: U users, I items, n of those.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt
import torch

from viral.base.extras import require
from viral.base.progress import say, stage
from viral.base.recipe import check_least
from viral.data.inputs import ModelInputs
from viral.data.interactions import Interactions
from viral.models.families.closed_form import gram_rows
from viral.models.families.item_item import Entries, SparseItemItem

if TYPE_CHECKING:
    import scipy.sparse as sp

IntArray = npt.NDArray[np.int32]
MAX_SWEEPS = 1000  # over the coordinates of one item
TOLERANCE = 1e-6  # the dual gap at which an item is solved, in parts of how many chose it


@dataclass(frozen=True, kw_only=True)
class SLIMConfig:
    """``reg_weight`` is β, which spreads an item's weights, ``l1_weight`` λ, which keeps them few."""

    reg_weight: float = 100.0
    l1_weight: float = 0.5

    def __post_init__(self) -> None:
        check_least(self, reg_weight=0, l1_weight=1e-6)  # without λ the dual gap never closes


class SLIM(SparseItemItem[SLIMConfig]):
    """min_W ½‖X - XW‖² + β/2 ‖W‖² + λ‖W‖₁ with W ≥ 0 and diag(W) = 0;  s(u, ·) = x_u W."""

    Config = SLIMConfig
    SPACE: ClassVar = {
        "reg_weight": (3.0, 10.0, 30.0, 100.0, 300.0, 1000.0),
        "l1_weight": (0.1, 0.5, 1.0, 2.0, 5.0),
    }

    def solve(self, inputs: ModelInputs) -> Iterator[Entries]:
        return elastic_nets(inputs.train, self.config)


def elastic_nets(train: Interactions, config: SLIMConfig) -> Iterator[Entries]:
    """The weights above 0 of every item: the items that count for it, the item, and w, (n,) each."""
    require("lab", purpose="SLIM", only=["sklearn"])
    from sklearn.linear_model import ElasticNet  # half a second, which other models need not wait for

    strength = config.l1_weight + config.reg_weight  # scikit-learn divides the squares by U, and so must we the rest
    solver = ElasticNet(
        alpha=strength / train.num_users, l1_ratio=config.l1_weight / strength, positive=True, fit_intercept=False,
        max_iter=MAX_SWEEPS, tol=TOLERANCE,
    )  # fmt: skip
    columns, unsolved = _columns(train), 0
    with stage("fit SLIM", train.num_items) as advance, warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning, module="sklearn")  # reported below, once
        for item, others in chosen_together(train, config.l1_weight):
            if len(others):
                weights = solver.fit(columns[:, others], columns[:, [item]].toarray().ravel()).coef_
                unsolved += solver.n_iter_ >= MAX_SWEEPS
                positive = weights > 0
                near = torch.from_numpy(others[positive]).long()
                yield near, torch.full_like(near, item), torch.from_numpy(weights[positive]).float()
            advance()
    if unsolved:
        say(f"{unsolved:,} items of {train.num_items:,} were not solved to the end in {MAX_SWEEPS:,} sweeps of SLIM")


def chosen_together(train: Interactions, least: float) -> Iterator[tuple[int, IntArray]]:
    """Every item, and the others that more than ``least`` users chose with it, ascending: int32 (n,).

    With X and w not below 0 the gradient of the loss in w_ij is never below λ - |U_i ∩ U_j|: an item that at most λ
    users chose with j has no weight for it, and to leave it out changes nothing.
    """
    for rows, counts in gram_rows(train):
        for item, (start, end) in enumerate(pairwise(counts.indptr), rows.start):
            others, users = counts.indices[start:end], counts.data[start:end]
            yield item, np.sort(others[(users > least) & (others != item)])


def _columns(train: Interactions) -> "sp.csc_array":
    """The binary user-item matrix by items, float64 (U, I), counted in the 32 bits that scikit-learn takes."""
    import scipy.sparse as sp

    keys = train.keys()
    items, order = torch.sort(keys % train.num_items, stable=True)
    users = (keys // train.num_items)[order].int()
    offsets = torch.searchsorted(items, torch.arange(train.num_items + 1)).int()
    return sp.csc_array((np.ones(len(users)), users.numpy(), offsets.numpy()), shape=(train.num_users, train.num_items))
