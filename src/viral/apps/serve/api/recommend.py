"""``/v1/recommend``, for one person or many, and ``/v1/popular``."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Query, Request
from starlette.responses import Response

from viral.apps.serve.ab_test import Variants
from viral.apps.serve.api.examples import MANY, POPULAR, RECOMMENDED
from viral.apps.serve.api.filters import filters_of, stocked
from viral.apps.serve.api.json_answers import as_json, ranked, stamp
from viral.apps.serve.api.openapi import answered, answered_by, errors
from viral.apps.serve.api.request_models import (
    ByRules,
    Categories,
    Category,
    Days,
    ExcludeIn,
    FiltersIn,
    Id,
    InStock,
    K,
    Offset,
    RecommendIn,
    Unknown,
    Variant,
    WhoIn,
)
from viral.apps.serve.api.response_models import ManyRecommendations, Popular, Recommendations, Source
from viral.apps.serve.hot_reload import current_snapshot
from viral.apps.serve.metrics import ServerMetrics
from viral.apps.serve.problems import status_of
from viral.apps.serve.recent_popularity import recent_counts
from viral.apps.serve.security.access import Asker, asks, charge
from viral.apps.serve.snapshot import Snapshot
from viral.apps.serve.thread_pools import pools
from viral.apps.serve.watched_files import rules_of
from viral.base.errors import UnknownIdError, ViralError
from viral.run.retrieval import Filters, Recommendation

router = APIRouter(prefix="/v1", tags=["ranking"])
EXAMPLES = {
    "a user": {"value": {"user_id": "u0001", "k": 5}},
    "somebody new": {"value": {"item_ids": ["p0001", "p0002"], "k": 5, "diversity": 0.3}},
    "a user in the middle of a visit": {"value": {"user_id": "u0001", "item_ids": ["p0001", "p0002"], "k": 5}},
    "the second page": {"value": {"user_id": "u0001", "k": 5, "offset": 5}},
    "many at once": {
        "value": {"users": ["u0001", "u0002", {"user_id": "u0003", "item_ids": ["p0001"]}, {"item_ids": ["p0007"]}]}
    },
    "of some categories": {
        "value": {"user_id": "u0001", "exclude_seen": False, "filters": {"categories": ["mug"], "deny": ["p0007"]}}
    },
    "without some": {"value": {"user_id": "u0001", "exclude": {"item_ids": ["p0007"], "categories": ["gift card"]}}},
    "what is in stock": {"value": {"user_id": "u0001", "filters": {"in_stock": True}}},
}
FOUND = answered_by({"one": RECOMMENDED, "many": MANY})
Several = Annotated[list[Id] | None, Query(max_length=100)]


@router.post(
    "/recommend", response_model=Recommendations | ManyRecommendations,
    responses=errors(404, 409, 413) | FOUND,
)  # fmt: skip
async def recommend(
    request: Request, key: Asker, asked: Annotated[RecommendIn, Body(openapi_examples=EXAMPLES)]
) -> Response:
    """The best items for a user, for somebody by a visit, for both together, or for each of many."""
    lists = RecommendationLists(request, asked)
    if asked.users is None:
        return as_json(await lists.of(Person(asked.user_id, tuple(asked.item_ids or ()))))
    charge(request, key, len(asked.users) - 1.0)
    answers = [await lists.of_many(Person.of(one)) for one in asked.users]
    return await pools(request).ranking.run(lambda: as_json(stamp(current_snapshot(request)) | {"answers": answers}))


@router.get(
    "/recommend", response_model=Recommendations, responses=errors(404, 409) | answered(RECOMMENDED),
    dependencies=[Depends(asks)],
)  # fmt: skip
async def recommend_one(
    request: Request,
    user_id: Annotated[Id | None, Query(description="As in the log.", examples=["u0001"])] = None,
    item_id: Annotated[Several, Query(description="What the current visit has shown.")] = None,
    k: K = 10,
    offset: Offset = 0,
    category: Categories = None,
    in_stock: InStock = False,
    exclude: Annotated[Several, Query(description="Not these items.")] = None,
    exclude_category: Annotated[list[Category] | None, Query(max_length=100, description="Not of these.")] = None,
    exclude_seen: Annotated[bool, Query(description="Leave out the items of the history.")] = True,
    diversity: Annotated[float, Query(ge=0, le=1, description="0: by score; towards 1: more variety.")] = 0.0,
    unknown: Annotated[Unknown, Query(description="For unknown ids.")] = "popular",
    popular_days: Annotated[Days | None, Query(description="What is popular counts so many days.")] = None,
    rules: ByRules = True,
    variant: Annotated[Variant | None, Query(description="Of an A/B test.")] = None,
) -> Response:
    """The same for one person, by an address alone; for nobody, what is popular."""
    asked = RecommendIn.model_construct(
        k=k, offset=offset, exclude_seen=exclude_seen, diversity=diversity, unknown=unknown,
        popular_days=popular_days, rules=rules, variant=variant,
        filters=FiltersIn(categories=category or None, in_stock=in_stock),
        exclude=ExcludeIn(item_ids=exclude or [], categories=exclude_category or []),
    )  # fmt: skip
    return as_json(await RecommendationLists(request, asked).of(Person(user_id, tuple(item_id or ()))))


@router.get(
    "/popular", response_model=Popular, responses=errors(404, 409) | answered(POPULAR), dependencies=[Depends(asks)]
)
async def popular(
    request: Request,
    k: K = 10,
    offset: Offset = 0,
    category: Categories = None,
    days: Annotated[Days | None, Query(description="Of so many days before the log's end; by default all.")] = None,
    in_stock: InStock = False,
    rules: ByRules = True,
) -> Response:
    """The items with the most interactions, of all or of some categories."""
    snapshot, has, ruling = current_snapshot(request), stocked(request, in_stock), rules_of(request, rules)

    def answer() -> Response:
        filters = filters_of(FiltersIn(categories=category or None), snapshot, has)
        counts = recent_counts(snapshot, days)
        found = snapshot.retriever.popular(k, offset=offset, filters=filters, rules=ruling, counts=counts)
        told: dict[str, Any] = {"days": days, "offset": offset, "popular": ranked(found, snapshot)}
        return as_json(stamp(snapshot) | told)

    return await pools(request).ranking.run(answer)


@dataclass(frozen=True, slots=True)
class Person:
    """One person: an id, what the current visit has shown, or both."""

    user_id: str | None
    item_ids: tuple[str, ...] = ()

    @classmethod
    def of(cls, told: str | WhoIn) -> "Person":
        """As a call for many names them."""
        return cls(told) if isinstance(told, str) else cls(told.user_id, tuple(told.item_ids))


class RecommendationLists:
    """What one request asks for, of any person."""

    def __init__(self, request: Request, asked: RecommendIn) -> None:
        self._request, self._asked = request, asked
        self._in_stock = stocked(request, asked.filters.in_stock)
        self._rules = rules_of(request, asked.rules)
        self._variants: Variants = request.app.state.variants
        self._metrics: ServerMetrics = request.app.state.metrics

    async def of(self, who: Person) -> dict[str, Any]:
        """A person's answer; raises ``UnknownIdError`` for an unknown id where that is asked for."""
        variant, live = self._variants.chosen(self._asked.variant, who.user_id)
        snapshot = live.current
        told = await pools(self._request).ranking.run(lambda: self._told(who, snapshot))
        self._metrics.lists.labels(told["source"], self._metrics.variant(variant)).inc()
        return stamp(snapshot) | {"user_id": who.user_id, "variant": variant} | told

    async def of_many(self, who: Person) -> dict[str, Any]:
        """A person's answer among many, where a fault is that person's own, and told in the place of a list."""
        try:
            return await self.of(who) | {"error": None}
        except ViralError as error:
            fault = {"status": int(status_of(error)), "detail": error.what, "hint": error.hint}
        nothing: dict[str, Any] = {"variant": None, "source": None, "unknown_item_ids": []}
        told = {"user_id": who.user_id, "offset": self._asked.offset, **nothing, "recommendations": [], "error": fault}
        return stamp(self._variants.served.current) | told

    def _told(self, who: Person, snapshot: Snapshot) -> dict[str, Any]:
        filters = filters_of(self._asked.filters, snapshot, self._in_stock, self._asked.exclude)
        strange = [item_id for item_id in who.item_ids if item_id not in snapshot.bundle.items]
        if self._asked.unknown == "error":
            _check(who, strange, snapshot)
        source, found = self._found(who, snapshot, filters)
        return {
            "source": source, "offset": self._asked.offset, "unknown_item_ids": list(dict.fromkeys(strange)),
            "recommendations": ranked(found, snapshot),
        }  # fmt: skip

    def _found(self, who: Person, snapshot: Snapshot, filters: Filters) -> tuple[Source, list[Recommendation]]:
        asked, retriever = self._asked, snapshot.retriever
        visit = list(dict.fromkeys(one for one in who.item_ids if one in snapshot.bundle.items))
        known = who.user_id if who.user_id is not None and who.user_id in snapshot.bundle.users else None
        if known is None and not visit:
            counts = recent_counts(snapshot, asked.popular_days)
            return "popular", retriever.popular(
                asked.k, offset=asked.offset, filters=filters, rules=self._rules, counts=counts
            )
        source: Source
        if known is None:
            source, profile = "visit", retriever.new_user(visit)
        elif visit:
            source, profile = "user_and_visit", retriever.in_session(known, visit)
        else:
            source, profile = "user", retriever.profile(known)
        found = retriever.rank(
            profile, asked.k, offset=asked.offset, exclude_seen=asked.exclude_seen, filters=filters,
            diversity=asked.diversity, rules=self._rules,
        )  # fmt: skip
        return source, found


def _check(who: Person, strange: list[str], snapshot: Snapshot) -> None:
    """Raise ``UnknownIdError`` for a user or an item of the visit that the bundle does not know."""
    if who.user_id is not None:
        try:
            snapshot.known_user(who.user_id)
        except UnknownIdError as error:
            hint = f"{error.hint}; without unknown=error, what is popular is answered"
            raise UnknownIdError(error.what, hint=hint) from None
    for item_id in strange:
        snapshot.known_item(item_id)
