"""One part of a ranked list: what is asked for, and how rules and diversity change its order. I items, D width."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from viral.base.errors import UsageError
from viral.run.bundle import Bundle
from viral.run.retrieval.diversity import diversified
from viral.run.retrieval.exact_search import Best, top_allowed
from viral.run.retrieval.filters import Filters
from viral.run.retrieval.results import Recommendation
from viral.run.retrieval.rules import Rules
from viral.run.retrieval.rules_applied import AppliedRules

POPULARITY, RULES = "popularity", "rules"  # parts of a score
MOST_DIVERSE = 2_000  # places that are chosen by variety to fill a list with so many of a category at most
NO_FILTERS, NO_RULES = Filters(), Rules()


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingRequest:
    """Which part of the list of which items."""

    k: int
    offset: int = 0  # places that are left out at the beginning
    filters: Filters = NO_FILTERS
    diversity: float = 0.0
    rules: Rules = NO_RULES

    def __post_init__(self) -> None:
        check_count(self.k)
        if self.offset < 0:
            raise UsageError(f"offset = {self.offset} is negative", hint="0: from the best on")
        if not 0 <= self.diversity <= 1:
            hint = "0: by score; 1: only variety"
            raise UsageError(f"diversity = {self.diversity} is not between 0 and 1", hint=hint)


@dataclass(frozen=True, slots=True, eq=False)
class RankedItems:
    """Items of one part of a list, (n,) each."""

    items: Tensor
    scores: Tensor
    added: Tensor  # what rules added to the scores
    pinned: tuple[bool, ...]


def rank_plainly(best: Best, vectors: Callable[[Tensor], Tensor], request: RankingRequest) -> RankedItems:
    """The part of an order; ``vectors`` gives those of items (n,)."""
    order = diversified(best, vectors, request.k, request.diversity) if request.diversity else best
    found, scores = (part[request.offset :] for part in order(request.offset + request.k))
    return RankedItems(found, scores, torch.zeros(len(found)), (False,) * len(found))


def rank_by_rules(
    scores: Tensor, blocked: Tensor | None, hidden: Tensor, vectors: Callable[[Tensor], Tensor],
    request: RankingRequest, rules: AppliedRules, bundle: Bundle,
) -> RankedItems:  # fmt: skip
    """The part of the list by rules, without ``blocked`` (I,) and ``hidden`` (n,); ``scores`` (I,) are changed."""
    predicate, ids = request.filters.predicate, bundle.items.ids
    if len(set(request.filters.categories or ())) == 1:  # a page of one category is not to be spread over categories
        rules = replace(rules, most=None)
    added = rules.added(scores)
    if added is not None:
        scores += added
    if blocked is not None:
        scores.masked_fill_(blocked, -torch.inf)
    scores[hidden] = -torch.inf
    kept = scores.clone()
    pinned = rules.placed(lambda i: bool(kept[i] > -torch.inf) and (predicate is None or predicate(ids[i])))
    scores[list(pinned.values())] = -torch.inf

    def best(count: int) -> tuple[Tensor, Tensor]:
        return top_allowed(scores, count, predicate, ids)

    order = diversified(best, vectors, request.k, request.diversity) if request.diversity else best
    deepest = max(MOST_DIVERSE, request.offset + request.k) if request.diversity else len(scores)
    found = torch.tensor(rules.listed(order, pinned, request.k, request.offset, deepest), dtype=torch.int64)
    of_rules = torch.zeros(len(found)) if added is None else added[found]
    places = set(pinned.values())
    return RankedItems(found, kept[found], of_rules, tuple(item in places for item in found.tolist()))


def recommendations(
    ranked: RankedItems, parts: list[dict[str, float]], bundle: Bundle, offset: int
) -> list[Recommendation]:  # fmt: skip
    """With ids and titles, and what rules added as a part of the score."""
    ids, titles = bundle.items.ids, bundle.titles
    rows = zip(ranked.items.tolist(), ranked.scores.tolist(), parts, ranked.added.tolist(), ranked.pinned, strict=True)
    return [
        Recommendation(ids[i], titles[i], rank, score, split | {RULES: added} if added else split, pinned)
        for rank, (i, score, split, added, pinned) in enumerate(rows, start=offset + 1)
    ]


def popularity_levels(degrees: Tensor, counts: Tensor) -> Tensor:
    """Scores by ``counts`` (I,), and below one what orders equal ones: how many users have each in training (I,)."""
    return counts.double() if counts is degrees else counts + degrees / (float(degrees.max()) + 1) / 2


def check_count(k: int) -> None:
    """``UsageError`` where nothing is asked for."""
    if k < 1:
        raise UsageError(f"k = {k} is not positive", hint="ask for at least one")
