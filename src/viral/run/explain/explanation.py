"""One score taken apart: by information part, by origin, and by the items of the user's history.

Three exact sums. ``parts`` are the model's own parts. ``origins`` splits the item's vector v = f + S f of a model with
an item graph into the item's own features, part by part, and what its neighbours in the graph lend it; the memory
(``memory``) is an origin of its own. ``evidence`` is what the items of the history carry: for item-item
weights the summands of the score; for vectors the summands of the folded-in score ⟨û, v⟩
(:mod:`viral.run.retrieval.fold_in`); where a model has both, the sum of the two. ``history`` is their sum over the
whole history, and ``beyond`` = score - history what the user's own vector holds that the rule does not make of the
history.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor

from viral.models.scorers import MEMORY, UserProfile, split_products
from viral.run.bundle import Bundle
from viral.run.retrieval.fold_in import FoldIn

SHOWN = 5  # items of the history
NEIGHBOURS = "neighbours"


@dataclass(frozen=True, slots=True)
class Evidence:
    """An item of the user's history, and what it adds to the score."""

    item_id: str
    title: str
    share: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """A score as the sum of its parts, and where the item stands among all items for this user."""

    user_id: str
    item_id: str
    title: str
    score: float
    parts: Mapping[str, float]  # they add up to ``score``
    rank: int  # among the items that can be recommended, 1 is best: as in the list, without the user's history
    num_items: int  # that are ranked so
    seen: bool  # the item is in the user's history
    taken: int = 0  # items of the user's history
    origins: Mapping[str, float] = field(default_factory=dict)  # add up to ``score``; empty where not to be told apart
    evidence: tuple[Evidence, ...] = ()  # the items of the history that add most, the largest first
    history: float = 0.0  # what all items of the history add
    information: Mapping[str, float] = field(default_factory=dict)  # bits of the item's modalities, where measured

    @property
    def beyond(self) -> float:
        """What of the score no item of the history accounts for."""
        return self.score - self.history

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"beyond": self.beyond}

    def sentence(self) -> str:
        """One line for a human."""
        total = sum(abs(value) for value in self.parts.values()) or 1.0
        ordered = sorted(self.parts.items(), key=lambda part: -abs(part[1]))
        shares = ", ".join(
            f"{name.replace('_', ' ')} {value:+.3f} ({abs(value) / total:.0%})" for name, value in ordered
        )
        taken = "; the user has it already" if self.seen else ""
        place = f"rank {self.rank} of {self.num_items}{taken}"
        return f"{self.title or self.item_id}: score {self.score:.3f} = {shares}; {place}"


def explain(
    bundle: Bundle, user: str | UserProfile, item_id: str, *, user_id: str = "", fold_in: FoldIn | None = None,
    information: Mapping[str, Mapping[str, float]] | None = None,
) -> Explanation:  # fmt: skip
    """Take the score of a user and an item apart; raises ``UnknownIdError`` for an unknown id.

    ``user`` is an id, or a profile (``Retriever.new_user``), to be called by ``user_id`` or not at all. ``fold_in``
    saves learning the rule anew (``Retriever.fold_in``); ``information`` is bits by item id
    (:func:`viral.run.explain.information.load`).
    """
    profile = user
    if isinstance(profile, str):
        row, user_id = bundle.users.index(profile), profile
        profile = bundle.scorer.profile(row, bundle.seen.items[bundle.seen.users == row].unique())
    item = bundle.items.index(item_id)
    history, parts = profile.seen, profile.split(item)
    shares = _shares(bundle, profile, item, fold_in)
    rank, ranked = _rank(profile, item)
    best = [(int(history[place]), float(shares[place])) for place in shares.argsort(descending=True)[:SHOWN].tolist()]
    return Explanation(
        user_id=user_id,
        item_id=item_id,
        title=bundle.titles[item],
        score=sum(parts.values()),
        parts=parts,
        rank=rank,
        num_items=ranked,
        seen=bool((history == item).any()),
        taken=len(history),
        origins=_origins(bundle, profile, item, parts),
        evidence=tuple(Evidence(bundle.items.ids[i], bundle.titles[i], share) for i, share in best if share > 0),
        history=float(shares.sum()),
        information=(information or {}).get(item_id, {}),
    )


def _rank(profile: UserProfile, item: int) -> tuple[int, int]:
    """The place in the list without the user's history, and how many are in it.

    Of equal scores the first item leads; an item of the history has the place that it would have there.
    """
    scores = profile.scores()
    score = scores[item].clone()
    scores[profile.seen] = -torch.inf
    scores[item] = score
    ahead = int((scores > score).sum()) + int((scores[:item] == score).sum())
    return ahead + 1, int((scores > -torch.inf).sum())


def _shares(bundle: Bundle, profile: UserProfile, item: int, fold_in: FoldIn | None) -> Tensor:
    """What each item of the history (n,) adds to the item's score: (n,) float64."""
    shares = profile.summands(profile.seen, torch.tensor([item])).squeeze(1)
    if profile.vectors is None or not len(profile.seen):
        return shares
    return shares + (fold_in or FoldIn.of(bundle)).shares(profile.seen, item).double()


def _origins(bundle: Bundle, profile: UserProfile, item: int, parts: Mapping[str, float]) -> dict[str, float]:
    """The score by the item's own features, part by part, what its neighbours lend it, and the memory."""
    vectors, own = profile.vectors, bundle.material.unlinked
    if own is None or vectors is None:
        return {}
    lent = vectors.items[item].double() - own[item].double()
    found = split_products(profile.vector, own[item][None], vectors.parts)[0]
    found |= {NEIGHBOURS: float(profile.vector.double() @ lent)}
    return found if profile.weights is None else found | {MEMORY: parts[MEMORY]}
