"""Bundles whose scores have a memory beside vectors with parts, made of random numbers of both signs."""

from typing import Literal

import torch
from torch import Tensor

from viral.data.interactions import Interactions
from viral.data.vocabulary import Vocabulary
from viral.graph import SparseMatrix
from viral.models import EmbeddingScorer, HistoryScorer, SparseHistoryScorer
from viral.models.scorers import ItemWeightScorer, MemoryScorer, scales_of
from viral.run.bundle import Bundle
from viral.run.bundle_extras import Material

Kind = Literal["dense", "sparse"]
KINDS: tuple[Kind, ...] = ("dense", "sparse")
WEIGHT = 0.7


def memory_bundle(kind: Kind, users: int = 20, items: int = 160, width: int = 12, *, falling: float = 0.0) -> Bundle:
    """The same scores of either kind. User 2 took nothing; item 5 is said nothing for; item 7 says nothing."""
    rng = torch.Generator().manual_seed(0)
    scale = torch.arange(1, width + 1).float() ** -falling
    turn = torch.linalg.qr(torch.randn(width, width, generator=rng)).Q
    vectors = [(torch.randn(size, width, generator=rng) * scale) @ turn for size in (users, items)]
    taken = torch.rand(users, items, generator=rng) < 0.08
    taken[2] = False
    seen = Interactions(*taken.nonzero(as_tuple=True), users, items)
    table = torch.randn(items, items, generator=rng) * (torch.rand(items, items, generator=rng) < 0.05)
    table[:, 5], table[7] = 0, 0
    parts = {"text": (0, 4), "synergy": (4, 8), "unique_visual": (8, width)}
    scorer = MemoryScorer(EmbeddingScorer(*vectors, parts), history(kind, seen, table), torch.zeros(users), WEIGHT)
    scorer.scales.copy_(scales_of(scorer.memory(torch.arange(users)), WEIGHT))
    names = Vocabulary([f"u{n}" for n in range(users)], "user"), Vocabulary([f"i{n}" for n in range(items)], "item")
    features = {"text": torch.randn(items, 6, generator=rng)}
    columns = {"category": [f"c{n % 3}" for n in range(items)]}
    own = torch.randn(items, width, generator=rng)
    material = Material(columns, features, {"text": torch.ones(items, dtype=torch.bool)}, unlinked=own)
    return Bundle(scorer, *names, tuple(f"Title {n}" for n in range(items)), seen, {"model": "viral"}, material)


def history(kind: Kind, seen: Interactions, table: Tensor) -> ItemWeightScorer:
    """Item-item weights as they are, or only those that are not zero."""
    if kind == "dense":
        return HistoryScorer(*seen.rows(), table)
    rows, columns = table.nonzero(as_tuple=True)
    return SparseHistoryScorer(*seen.rows(), SparseMatrix.of(rows, columns, table[rows, columns], tuple(table.shape)))


def table_of(bundle: Bundle) -> Tensor:
    """The item-item weights of the memory as a dense table (I, I)."""
    weights = bundle.scorer.memory.weights
    return weights if isinstance(weights, Tensor) else weights.to_torch().to_dense()


def taken_of(bundle: Bundle) -> Tensor:
    """What each user took, as zeros and ones (U, I) float64."""
    table = torch.zeros(len(bundle.users), len(bundle.items), dtype=torch.float64)
    return table.index_put_((bundle.seen.users, bundle.seen.items), torch.ones((), dtype=torch.float64))


def remembered_of(bundle: Bundle) -> Tensor:
    """The memory's part of all scores (U, I), from its formula in double precision."""
    return taken_of(bundle) @ table_of(bundle).double() * bundle.scorer.scales.double()[:, None]


def scores_of(bundle: Bundle) -> Tensor:
    """All scores (U, I), from their formula in double precision."""
    vectors = bundle.scorer.vectors
    return vectors.users.double() @ vectors.items.double().T + remembered_of(bundle)
