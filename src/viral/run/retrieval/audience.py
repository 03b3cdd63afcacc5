"""Who would want an item. Shapes: U users, I items, D the width of a vector."""

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import torch
import torch.nn.functional as F
from torch import Tensor

from viral.models.base import EmbeddingScorer
from viral.models.memory_scorer import AnyHistory, AnyScorer, MemoryScorer, history_of, vectors_of
from viral.run.bundle import Bundle

LEAST_VARIANCE = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """Where each user's scores of all items lie."""

    centre: Tensor  # (D,): the mean vector of the items, whose product is the mean of the vectors' side
    remembered: Tensor  # (U,): the mean of the memory's part
    deviation: Tensor  # (U,): σ_u of the whole score

    @classmethod
    def of(cls, scorer: AnyScorer, vectors: EmbeddingScorer) -> "Levels":
        """σ_u² = uᵀ Cov(v) u, and with memory + 2 a_u ⟨u, Σ_{j ∈ N_u} c_j⟩ + w² with c = W (v - mean v) / I.

        The last is the variance of the memory's part, which is w² by the definition of a_u.
        """
        users, centre = vectors.users, vectors.items.mean(dim=0)
        centred = vectors.items - centre
        count = max(1, len(centred))
        variance = ((users @ (centred.T @ centred / count)) * users).sum(dim=1)
        remembered = torch.zeros_like(variance)
        if isinstance(scorer, MemoryScorer):
            shared = _bags(scorer.memory, scorer.memory.weights @ centred / count)  # (U, D)
            variance += 2 * scorer.scales * (users * shared).sum(dim=1) + (scorer.scales != 0) * scorer.weight**2
            remembered = scorer.means()
        return cls(centre, remembered, variance.clamp(min=LEAST_VARIANCE).sqrt())


_levels: WeakKeyDictionary[Bundle, Levels] = WeakKeyDictionary()  # by bundle, and gone with it


def wanting(bundle: Bundle, vector: Tensor, item: int | None = None) -> Tensor:
    """How much each user wants an item with this vector (D,): (U,). ``item`` is its index, None of a new one.

    A model's scores compare items for one user, not users for one item: who has a long vector would want everything.
    So a score is told in standard deviations from the mean of the user's scores of all items, (s - μ_u) / σ_u. The
    memory of a new item is at its mean and drops out. A sum of item-item weights alone is told as a mean over what the
    user took.
    """
    scorer, vectors, history = bundle.scorer, vectors_of(bundle.scorer), history_of(bundle.scorer)
    if vectors is None:
        assert history is not None
        return _bags(history, vector[:, None], mode="mean").squeeze(1)
    if bundle not in _levels:
        _levels[bundle] = Levels.of(scorer, vectors)
    levels = _levels[bundle]
    above = vectors.users @ (vector - levels.centre)
    if item is not None and isinstance(scorer, MemoryScorer):
        remembered = _bags(scorer.memory, scorer.memory.columns[item][:, None]).squeeze(1) * scorer.scales
        above += remembered - levels.remembered
    return above / levels.deviation


def _bags(history: AnyHistory, table: Tensor, mode: str = "sum") -> Tensor:
    """Rows of a table (I, C), summed or averaged over what each user took: (U, C)."""
    return F.embedding_bag(history.items, table.contiguous(), history.offsets, mode=mode, include_last_offset=True)
