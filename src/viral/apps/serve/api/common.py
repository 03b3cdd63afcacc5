"""What routes share: the snapshot, the pools, errors in the document, and JSON without detours."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from fastapi import Request
from starlette.responses import Response

from viral.apps.serve.api.schemas import ExcludeIn, FiltersIn
from viral.apps.serve.problems import Problem
from viral.apps.serve.snapshot import Snapshot
from viral.apps.serve.stock import Stock
from viral.apps.serve.work import Work
from viral.base.errors import UnknownIdError
from viral.run.retrieval import Filters
from viral.run.retrieval.filters import Predicate

REASONS = {
    401: "No token, or an unknown one.",
    403: "The token's scope does not allow it, or a page of another site asks.",
    404: "A user, item, category or modality is not known.",
    409: "The bundle or the server lacks what this needs: features of a modality, a describer's settings, a stock.",
    413: "The body is too long.",
    415: "The picture is not one that can be read.",
    421: "Without tokens the server answers to localhost alone.",
    422: "The request is not as described here.",
    429: "Too many requests; `Retry-After` says when.",
    500: "The server failed.",
    503: "Too much to do; `Retry-After` says when.",
    507: "The feedback file is full.",
}
COMMON = (401, 403, 421, 422, 429, 500, 503)
MOST_REMEMBERED = 2_000  # ids in filters that are worth remembering


def errors(*more: int) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of a route: what may go wrong with every one, and these."""
    return {status: {"description": REASONS[status]} for status in sorted({*COMMON, *more})}


def current(request: Request) -> Snapshot:
    """The snapshot that this request is answered from, also if another one comes meanwhile."""
    snapshot: Snapshot = request.app.state.live.current
    return snapshot


def work(request: Request) -> Work:
    """The pools."""
    found: Work = request.app.state.work
    return found


def as_json(document: Mapping[str, Any], status: int = 200) -> Response:
    """An answer that is known to be as described."""
    content = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Response(content.encode(), status, media_type="application/json")


def stocked(request: Request, wanted: bool) -> Predicate | None:
    """What tells whether an item is in stock now, if that is wanted; 409 where the server was given no stock."""
    stock: Stock | None = request.app.state.stock
    if wanted and stock is None:
        raise Problem(409, "this server knows no stock", hint="whoever runs it: viral serve RUN --stock FILE")
    return stock.has if wanted and stock is not None else None


def stamp(snapshot: Snapshot) -> dict[str, Any]:
    """What every answer begins with: which bundle of which model it comes from."""
    return {"bundle": snapshot.etag, "model": str(snapshot.bundle.about.get("model", "")), "version": snapshot.etag}


NOTHING = ExcludeIn()


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


Words = tuple[str, ...] | None


def _made(categories: Words, allow: Words, deny: Words, without: Words, in_stock: Predicate | None) -> Filters:
    return Filters(
        categories=categories, allow=allow, deny=deny or (), deny_categories=without or (), in_stock=in_stock
    )


_remembered = lru_cache(maxsize=32)(_made)
