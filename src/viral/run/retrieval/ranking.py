"""One part of a ranked list: what is asked for, and how rules and variety change its order. I items, D width."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from viral.base.errors import UsageError
from viral.run.bundle import Bundle
from viral.run.retrieval.diversity import diversified
from viral.run.retrieval.filters import Filters
from viral.run.retrieval.order import Best, asked_of
from viral.run.retrieval.results import Recommendation
from viral.run.retrieval.ruled import PART, Ruling
from viral.run.retrieval.rules import Rules

MOST_DIVERSE = 2_000  # places that are chosen by variety to fill a list with so many of a category at most
NO_FILTERS, NO_RULES = Filters(), Rules()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
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
class Ranked:
    """Items of one part of a list, (n,) each."""

    items: Tensor
    scores: Tensor
    added: Tensor  # what rules added to the scores
    pinned: tuple[bool, ...]


def plain(best: Best, vectors: Callable[[Tensor], Tensor], ask: Ask) -> Ranked:
    """The part of an order; ``vectors`` gives those of items (n,)."""
    order = diversified(best, vectors, ask.k, ask.diversity) if ask.diversity else best
    found, scores = (part[ask.offset :] for part in order(ask.offset + ask.k))
    return Ranked(found, scores, torch.zeros(len(found)), (False,) * len(found))


def ruled(
    scores: Tensor, blocked: Tensor | None, hidden: Tensor, vectors: Callable[[Tensor], Tensor], ask: Ask,
    ruling: Ruling, bundle: Bundle,
) -> Ranked:  # fmt: skip
    """The part of the list by rules, without ``blocked`` (I,) and ``hidden`` (n,); ``scores`` (I,) are changed."""
    predicate, ids = ask.filters.predicate, bundle.items.ids
    if len(set(ask.filters.categories or ())) == 1:  # a page of one category is not to be spread over categories
        ruling = replace(ruling, most=None)
    added = ruling.added(scores)
    if added is not None:
        scores += added
    if blocked is not None:
        scores.masked_fill_(blocked, -torch.inf)
    scores[hidden] = -torch.inf
    kept = scores.clone()
    pinned = ruling.placed(lambda i: bool(kept[i] > -torch.inf) and (predicate is None or predicate(ids[i])))
    scores[list(pinned.values())] = -torch.inf

    def best(count: int) -> tuple[Tensor, Tensor]:
        return asked_of(scores, count, predicate, ids)

    order = diversified(best, vectors, ask.k, ask.diversity) if ask.diversity else best
    deepest = max(MOST_DIVERSE, ask.offset + ask.k) if ask.diversity else len(scores)
    found = torch.tensor(ruling.listed(order, pinned, ask.k, ask.offset, deepest), dtype=torch.int64)
    of_rules = torch.zeros(len(found)) if added is None else added[found]
    places = set(pinned.values())
    return Ranked(found, kept[found], of_rules, tuple(item in places for item in found.tolist()))


def told(ranked: Ranked, parts: list[dict[str, float]], bundle: Bundle, offset: int) -> list[Recommendation]:
    """With ids and titles, and what rules added as a part of the score."""
    ids, titles = bundle.items.ids, bundle.titles
    rows = zip(ranked.items.tolist(), ranked.scores.tolist(), parts, ranked.added.tolist(), ranked.pinned, strict=True)
    return [
        Recommendation(ids[i], titles[i], rank, score, split | {PART: added} if added else split, pinned)
        for rank, (i, score, split, added, pinned) in enumerate(rows, start=offset + 1)
    ]


def check_count(k: int) -> None:
    """``UsageError`` where nothing is asked for."""
    if k < 1:
        raise UsageError(f"k = {k} is not positive", hint="ask for at least one")
