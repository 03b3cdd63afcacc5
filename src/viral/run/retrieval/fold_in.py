"""A user whom the model never saw, from a history; and a known user in the middle of a session.

A trained model has a vector u for every user but no rule that makes one of a new user's history. The rule is learnt
from the users that there are. With N the items of a history, n = |N|, d_j how many users interacted with item j and v_j
its vector,

    h(N) = [ Σ_j v_j / √(d_j n) | Σ_j v_j / √n ]   (2D numbers),      û(N) = h(N) M,

M the ridge solution over the known users, M = M₀ + (HᵀH + λ)⁻¹ Hᵀ (U - H M₀), which without evidence falls back on
M₀ = [c 1 | 0]ᵀ, the least-squares multiple of the first half. That half is a step of LightGCN's propagation from the
final vectors (He et al., SIGIR 2020, eq. 3); the second serves models whose users are sums of items. λ is chosen by the
error on users left out one by one, which for ridge has a closed form. û is linear in the items, so that every item's
share of a score is known (:meth:`FoldIn.shares`).

Models of item-item weights need no rule: a score is the sum over the history, for whomever. Of a model with both
(:class:`~viral.models.scorers.MemoryScorer`) the rule makes the vectors' side alone.

In a session the items just looked at count for more than older ones. With N the history in training and V the session,
the user is one whose history is N and r times V, r = max(1, round(√(|N| / |V|))): so the session is not lost beside a
long history, nor the history beside a session. Item-item weights are summed over just that. For vectors, û gives the
change by the session, so that what a user's own vector holds beyond the history stays:

    x = u + û(N ⊎ r V) - û(N).

Shapes: U users, I items, D the width of a vector, n items of a history.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from viral.models.scorers import Scorer, UserProfile
from viral.run.bundle import Bundle

MOST_USERS = 20_000  # the rule is learnt from, evenly spread over all
STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)  # of λ, in mean eigenvalues of HᵀH


@dataclass(frozen=True, slots=True, eq=False)
class FoldIn:
    """The rule û(N) of one bundle."""

    items: Tensor  # (I, D)
    degrees: Tensor  # (I,) float: d_j, at least 1
    matrix: Tensor  # M (2D, D)

    @classmethod
    def of(cls, bundle: Bundle) -> "FoldIn":
        """Learn the rule from the bundle's users with a history."""
        scorer = bundle.scorer.vectors
        if scorer is None:
            raise TypeError("models of item-item weights need no rule")
        degrees = bundle.seen.item_degrees().clamp(min=1).to(scorer.items)
        offsets, histories = bundle.seen.rows()
        known = (offsets.diff() > 0).nonzero().squeeze(1)
        known = known[:: max(1, -(-len(known) // MOST_USERS))]
        sums = _sums(scorer.items, degrees, offsets, histories)[known].double()
        return cls(scorer.items, degrees, _ridge(sums, scorer.users[known].double()).to(scorer.items))

    def vector(self, history: Tensor) -> Tensor:
        """û of a history (n,): (D,)."""
        return self._weighted(history).sum(dim=0) @ self.matrix

    def shares(self, history: Tensor, item: int) -> Tensor:
        """What each item of a history (n,) adds to ⟨û, v_item⟩: (n,), which sum to it."""
        return self._weighted(history) @ (self.matrix @ self.items[item])

    def _weighted(self, history: Tensor) -> Tensor:
        """Each item's summand in h: (n,) -> (n, 2D)."""
        vectors = self.items[history]
        scale = max(1, len(history)) ** -0.5
        return torch.cat([vectors * (scale * self.degrees[history].rsqrt())[:, None], vectors * scale], dim=1)


def _sums(items: Tensor, degrees: Tensor, offsets: Tensor, histories: Tensor) -> Tensor:
    """The vector h of every user: (U, 2D)."""
    weights = degrees.rsqrt()[histories]
    both = [
        F.embedding_bag(histories, items, offsets, mode="sum", include_last_offset=True, per_sample_weights=w)
        for w in (weights, torch.ones_like(weights))
    ]
    return torch.cat(both, dim=1) * offsets.diff().clamp(min=1).to(items).rsqrt()[:, None]


def _ridge(h: Tensor, users: Tensor) -> Tensor:
    """M for h (n, 2D) and users (n, D), with the λ whose leave-one-out error is least: (2D, D)."""
    dim = users.shape[1]
    start = h.new_zeros(2 * dim, dim)
    first = h[:, :dim]
    start[:dim] = torch.eye(dim).to(h) * ((first * users).sum() / first.square().sum().clamp(min=1e-12))
    rest = users - h @ start
    sizes, directions = torch.linalg.eigh(h.T @ h)
    turned = h @ directions  # (n, 2D)
    target = turned.T @ rest  # (2D, D)
    best, least = start, torch.inf
    for strength in STRENGTHS:
        inverse = 1 / (sizes.clamp(min=0) + strength * sizes.clamp(min=0).mean() + 1e-12)
        solution = inverse[:, None] * target
        leverage = (turned.square() * inverse).sum(dim=1, keepdim=True)
        error = float(((rest - turned @ solution) / (1 - leverage).clamp(min=1e-6)).square().sum())
        if error < least:
            best, least = start + directions @ solution, error
    return best


def session_repeats(history: int, session: int) -> int:
    """How often a session of so many items counts beside a history of so many."""
    return max(1, round((history / session) ** 0.5))


def in_session(
    scorer: Scorer, known: UserProfile, session: Tensor, rule: FoldIn | None,
    repeats: Callable[[int, int], int] = session_repeats,
) -> UserProfile:  # fmt: skip
    """A known user in a session with these items (n,), which are as good as interacted with."""
    if not len(session):
        return known
    both = torch.cat([known.history, session.repeat(repeats(len(known.history), len(session)))])
    vector = known.vector
    if rule is not None:
        vector = vector + rule.vector(both) - rule.vector(known.history)
    return replace(scorer.fold_in(both, vector), seen=torch.cat([known.seen, session]).unique())
