"""SOIL's graphs: the items that a user might have taken as well, and item pairs that users' interests join.

Shapes: U users, I items, E interactions, F features, M modalities, K kept of each user.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce

import torch
import torch.nn.functional as F
from torch import Tensor

from viral import graph
from viral.data.interactions import Interactions
from viral.graph import SparseMatrix

BLOCK_BYTES = 64_000_000  # of similarities, or of users' scores, held at once in one table

ROWS_AT_ONCE = 512  # gathered for a maximum: few enough to stay in the cache


@dataclass(frozen=True, slots=True, eq=False)
class Interests:
    """What users may like beyond what they took, by similarity to it."""

    candidates: Tensor  # (U, K) items most attractive to a user, none of which they took
    weights: Tensor  # (U, K) their attractiveness; 0 where there is none
    liked: Tensor  # (U, M·K') items nearest to a user's interest in each modality, taken or not; some may repeat


class _Best:
    """The k best of what is offered in blocks of columns."""

    def __init__(self, num_rows: int, k: int) -> None:
        self.values = torch.full((num_rows, k), -torch.inf)
        self.columns = torch.zeros(num_rows, k, dtype=torch.int64)

    def offer(self, scores: Tensor, start: int) -> None:
        k = self.values.shape[1]
        top = scores.topk(min(k, scores.shape[1]))
        self.values, places = torch.cat([self.values, top.values], dim=1).topk(k)
        self.columns = torch.cat([self.columns, top.indices + start], dim=1).gather(1, places)


@torch.no_grad()
def user_interests(
    train: Interactions, features: Mapping[str, Tensor], num_candidates: int, num_interests: int
) -> Interests:
    """Second-order interest (eq. 1 to 3) and the items nearest to each user's interest (eq. 6 and 7).

    Attractiveness of j for u: the largest Π_m cos_m(i, j) over the items i that u took; interest in modality m: the sum
    of cos_m(i, j) over them. Items are worked off in blocks of columns, so that neither I × I nor U × I is ever held.
    """
    offsets, items = train.rows()
    users = torch.repeat_interleave(torch.arange(train.num_users), offsets.diff())
    units = [F.normalize(x.float(), dim=1) for x in features.values()]
    size = max(1, BLOCK_BYTES // (4 * max(train.num_items, train.num_users)))
    attractive = _Best(train.num_users, min(num_candidates, train.num_items))
    near = [_Best(train.num_users, min(num_interests, train.num_items)) for _ in units]
    for start in range(0, train.num_items, size):
        similar = [unit @ unit[start : start + size].T for unit in units]  # M times (I, b)
        for best, table in zip(near, similar, strict=True):
            best.offer(F.embedding_bag(items, table, offsets, mode="sum", include_last_offset=True), start)
        scores = _largest(reduce(torch.mul, similar), items, users, train.num_users)  # (U, b)
        inside = (items >= start) & (items < start + size)
        scores[users[inside], items[inside] - start] = -torch.inf
        attractive.offer(scores, start)
    weights = attractive.values.clamp(min=0.0)  # who took nothing is attracted by nothing
    return Interests(attractive.columns, weights, torch.cat([best.columns for best in near], dim=1))


def _largest(table: Tensor, items: Tensor, users: Tensor, num_users: int) -> Tensor:
    """The maximum of a table's rows over the items of each user, -∞ where there is none: (I, b) -> (U, b)."""
    largest = table.new_full((num_users, table.shape[1]), -torch.inf)
    for some, theirs in zip(items.split(ROWS_AT_ONCE), users.split(ROWS_AT_ONCE), strict=True):
        rows = table.index_select(0, some)
        largest.scatter_reduce_(0, theirs[:, None].expand_as(rows), rows, "amax")
    return largest


def augmented_adjacency(train: Interactions, interests: Interests) -> SparseMatrix:
    """The first-order graph and the weighted second-order one, each normalised by itself, added: (U+I, U+I), eq. 5."""
    users = torch.arange(train.num_users)[:, None].expand_as(interests.candidates)
    kept = interests.weights > 0
    near, far, weights = users[kept], interests.candidates[kept] + train.num_users, interests.weights[kept]
    rows, columns, values = torch.cat([near, far]), torch.cat([far, near]), torch.cat([weights, weights])
    first = graph.bipartite_adjacency(train)
    sums = torch.zeros(first.shape[0]).index_add_(0, rows, values)
    scale = _inverse_root(sums)
    second = SparseMatrix.of(rows, columns, values * (scale[rows] * scale[columns]), first.shape)
    both = graph.weighted_sum({"first": first, "second": second}, {"first": 1.0, "second": 1.0})
    return SparseMatrix(both.offsets, both.columns, both.values, both.shape[1], symmetric=True)


@torch.no_grad()
def interest_graph(train: Interactions, interests: Interests, features: Tensor, similar: SparseMatrix) -> SparseMatrix:
    """Cosines between what somebody took and what they are interested in, plus ``similar``, a k-NN graph: (I, I).

    Both graphs are normalised by their row sums (eq. 8 to 10); negative cosines count 0.
    """
    offsets, items = train.rows()
    users = torch.repeat_interleave(torch.arange(train.num_users), offsets.diff())
    keys = torch.unique(items[:, None] * train.num_items + interests.liked[users])  # (≤ E·M·K',)
    rows, columns = torch.div(keys, train.num_items, rounding_mode="floor"), keys % train.num_items
    values = _cosines(F.normalize(features.float(), dim=1), rows, columns).clamp(min=0.0)
    scale = _inverse_root(torch.zeros(train.num_items).index_add_(0, rows, values))
    values = values * (scale[rows] * scale[columns])
    joined = SparseMatrix.of(rows, columns, values, (train.num_items, train.num_items))
    return graph.weighted_sum({"interest": joined, "similar": similar}, {"interest": 1.0, "similar": 1.0})


def _cosines(unit: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """The similarities at sorted places: (I, F) of unit length, (nnz,), (nnz,) -> (nnz,)."""
    size = max(1, BLOCK_BYTES // (4 * len(unit)))
    starts = torch.arange(0, len(unit), size)
    edges = [*torch.searchsorted(rows, starts).tolist(), len(rows)]
    found = [
        (unit[start : start + size] @ unit.T)[rows[low:high] - start, columns[low:high]]
        for start, low, high in zip(starts.tolist(), edges[:-1], edges[1:], strict=True)
    ]
    return torch.cat(found)


def _inverse_root(sums: Tensor) -> Tensor:
    """1 / √s, and 0 where there is nothing."""
    return torch.where(sums > 0, sums.clamp(min=1e-12).rsqrt(), 0.0)
