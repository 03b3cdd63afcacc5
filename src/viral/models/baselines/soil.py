"""SOIL: graphs that add the items a user might have chosen as well, and interest kept consistent by contrast.

Su et al., "SOIL: Contrastive Second-Order Interest Learning for Multimodal Recommendation", ACM MM 2024,
https://doi.org/10.1145/3664647.3681207. Published code: TL-UESTC/SOIL. Written from the paper; equations are its own.
Shapes: U users, I items, n rows, B batch, D embedding dimension, F features, M modalities, K kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from viral import graph
from viral.base.recipe import check_least
from viral.data.inputs import ModelInputs
from viral.data.interactions import Interactions, Triplets
from viral.graph import SparseMatrix
from viral.graph.functions import sum_of
from viral.graph.functions.infonce import distinct_info_nce
from viral.graph.neighbors import TopColumns
from viral.models.families.layers import attention
from viral.models.families.modality_views import (
    ItemGraphs,
    Purifiers,
    ViewConfig,
    ViewRecommender,
    ranking_terms,
    user_rows,
    with_users,
)

BLOCK_BYTES = 64_000_000  # of similarities, or of users' scores, held at once in one table
ROWS_AT_ONCE = 512  # gathered for a maximum: few enough to stay in the cache


@dataclass(frozen=True, kw_only=True)
class SOILConfig(ViewConfig):
    """Defaults are those of the authors' log for Baby, but for the temperature, which they do not name."""

    num_neighbors: int = 10  # k of eq. 9
    num_interests: int = 10  # k of eq. 7, by modality
    num_candidates: int = 2  # k of eq. 2
    interest_weight: float = 0.01  # λ_ui; ``contrast_weight`` is λ_ii

    def __post_init__(self) -> None:
        super().__post_init__()
        check_least(self, num_neighbors=1, num_interests=1, num_candidates=1, interest_weight=0)


class SOIL(ViewRecommender[SOILConfig]):
    """A node is its embedding on the augmented user-item graph plus those on the interest-aware item graphs."""

    Config = SOILConfig
    SPACE: ClassVar = {
        "contrast_weight": (0.001, 0.01, 0.1),
        "interest_weight": (0.001, 0.01, 0.1),
        "num_interests": (5, 10, 15, 20),
        "num_neighbors": (5, 10, 15, 20),
        "num_candidates": (1, 2, 5, 10),
    }

    def __init__(self, inputs: ModelInputs, config: SOILConfig) -> None:
        super().__init__(inputs, config)
        train, features, dim = inputs.train, self.content.features, config.embedding_dim
        interests = user_interests(train, features, config.num_candidates, config.num_interests)
        self.adjacency = augmented_adjacency(train, interests)
        self.interactions = user_rows(self.adjacency, self.num_users)
        similar = self.content.graphs(config.num_neighbors, graph.weighted_knn_graph)
        self.item_graphs = ItemGraphs({m: interest_graph(train, interests, features[m], similar[m]) for m in features})
        self.purifiers = Purifiers(self.content.widths, dim)
        self.attention: nn.Module = attention(dim, 1) if len(features) > 1 else nn.Identity()

    def modalities(self, batch: Triplets | None) -> list[Tensor]:
        """Each modality of the nodes: M times (n, D), eq. 11 to 13."""
        mapped = self.purifiers(self.item_ids.weight, self.features)
        return with_users(self.interactions, self.item_graphs(mapped, self.config.num_item_layers), batch)

    def fuse(self, views: list[Tensor]) -> Tensor:
        """Σ_m (1 - α_m) x_m: M times (n, D) -> (n, D), eq. 14; a single modality as it is."""
        if len(views) == 1:
            return views[0]
        shares = torch.cat([self.attention(view) for view in views], dim=1).softmax(dim=1)  # (n, M)
        return sum_of((1 - shares[:, m : m + 1]) * view for m, view in enumerate(views))

    def represent(self, batch: Triplets | None = None) -> tuple[Tensor, Tensor]:
        behaviour = self.behaviour(batch)
        return behaviour, self.fuse(self.modalities(batch))

    def loss(self, batch: Triplets) -> dict[str, Tensor]:
        config = self.config
        behaviour, side = self.represent(batch)
        nodes = behaviour + side
        terms = ranking_terms(nodes, config.reg_weight) | self.agreement(behaviour, side, batch)
        if config.interest_weight:  # eq. 15: users' final embeddings and each view of their items
            users, chosen = nodes.chunk(3)[0], [view.chunk(3)[1] for view in (behaviour, side)]
            contrast = sum_of(
                distinct_info_nce(users, items, config.temperature, batch.positives, anchors_too=False)
                for items in chosen
            )
            terms["interest"] = config.interest_weight * contrast
        return terms


@dataclass(frozen=True, slots=True, eq=False)
class Interests:
    """What users may like beyond their histories, by similarity to those."""

    candidates: Tensor  # (U, K) items most attractive to a user, none of which is in the history
    weights: Tensor  # (U, K) their attractiveness; 0 where there is none
    liked: Tensor  # (U, M·K') items nearest to a user's interest in each modality, chosen or not; some may repeat


@torch.no_grad()
def user_interests(
    train: Interactions, features: Mapping[str, Tensor], num_candidates: int, num_interests: int
) -> Interests:
    """Second-order interest (eq. 1 to 3) and the items nearest to each user's interest (eq. 6 and 7).

    Attractiveness of j for u: the largest Π_m cos_m(i, j) over the items i in u's history; interest in modality m: the
    sum of cos_m(i, j) over them. Items are worked off in blocks of columns: neither I × I nor U × I is ever held.
    """
    offsets, items = train.rows()
    users = torch.repeat_interleave(torch.arange(train.num_users), offsets.diff())
    units = [F.normalize(x.float(), dim=1) for x in features.values()]
    size = max(1, BLOCK_BYTES // (4 * max(train.num_items, train.num_users)))
    attractive = TopColumns(train.num_users, min(num_candidates, train.num_items), units[0])
    near = [TopColumns(train.num_users, min(num_interests, train.num_items), unit) for unit in units]
    for start in range(0, train.num_items, size):
        similar = [unit @ unit[start : start + size].T for unit in units]  # M times (I, b)
        for best, table in zip(near, similar, strict=True):
            best.offer(F.embedding_bag(items, table, offsets, mode="sum", include_last_offset=True), start)
        scores = _largest(reduce(torch.mul, similar), items, users, train.num_users)  # (U, b)
        inside = (items >= start) & (items < start + size)
        scores[users[inside], items[inside] - start] = -torch.inf
        attractive.offer(scores, start)
    weights = attractive.values.clamp(min=0.0)  # without a history nobody is attracted by anything
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
    """Cosines between the items of a history and those of the user's interest, plus ``similar``, a k-NN graph: (I, I).

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
