"""Filters of a request: conditions that every recommended item must meet."""

from functools import lru_cache

from fastapi import Request

from viral.apps.serve.api.request_models import ExcludeIn, FiltersIn
from viral.apps.serve.problems import Problem
from viral.apps.serve.snapshot import Snapshot
from viral.apps.serve.watched_files import Stock
from viral.base.errors import UnknownIdError
from viral.run.retrieval import Filters
from viral.run.retrieval.filters import Predicate

MOST_REMEMBERED = 2_000  # ids in filters that are worth remembering
Words = tuple[str, ...] | None
NOTHING = ExcludeIn()


def stocked(request: Request, wanted: bool) -> Predicate | None:
    """What tells whether an item is in stock now, if that is wanted; 409 where the server was given no stock."""
    stock: Stock | None = request.app.state.stock
    if wanted and stock is None:
        raise Problem(409, "this server knows no stock", hint="whoever runs it: viral serve RUN --stock FILE")
    return stock.has if wanted and stock is not None else None


def filters_of(
    given: FiltersIn, snapshot: Snapshot, in_stock: Predicate | None, without: ExcludeIn = NOTHING
) -> Filters:
    """The filters; the same object for the same words, so that a retriever knows its mask again."""
    for category in given.categories or ():
        if category not in snapshot.categories:
            raise UnknownIdError(f"no item is in category {category!r}", hint="GET /v1/categories")
    denied = _sorted([*given.deny, *without.item_ids])
    key = (_sorted(given.categories), _sorted(given.allow), denied, _sorted(without.categories))
    few = sum(len(part or ()) for part in key) <= MOST_REMEMBERED
    return _remembered(*key, in_stock) if few else _made(*key, in_stock)


def _sorted(words: list[str] | None) -> tuple[str, ...] | None:
    return None if words is None else tuple(sorted(set(words)))


def _made(categories: Words, allow: Words, deny: Words, without: Words, in_stock: Predicate | None) -> Filters:
    return Filters(
        categories=categories, allow=allow, deny=deny or (), deny_categories=without or (), in_stock=in_stock
    )


_remembered = lru_cache(maxsize=32)(_made)
