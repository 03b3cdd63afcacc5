"""``/v1/recommend``, for one person or many, and ``/v1/popular``."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Query, Request
from starlette.responses import Response

from viral.apps.serve.api.answers import ManyRecommendations, Popular, Recommendations
from viral.apps.serve.api.common import as_json, current, errors, filters_of, stamp, stocked, work
from viral.apps.serve.api.examples import MANY, POPULAR, RECOMMENDED, answered, answered_by
from viral.apps.serve.api.persons import Lists, Who
from viral.apps.serve.api.schemas import (
    Category,
    Days,
    ExcludeIn,
    FiltersIn,
    Id,
    K,
    Offset,
    RecommendIn,
    Unknown,
    Variant,
)
from viral.apps.serve.api.shown import ranked
from viral.apps.serve.recent import recent_counts
from viral.apps.serve.rules import rules_of
from viral.apps.serve.security.access import Reader, asks, charge

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
    responses=errors(404, 409, 413) | FOUND, dependencies=[Depends(asks)],
)  # fmt: skip
async def recommend(
    request: Request, key: Reader, asked: Annotated[RecommendIn, Body(openapi_examples=EXAMPLES)]
) -> Response:
    """The best items for a user, for somebody by a visit, for both together, or for each of many."""
    lists = Lists(request, asked)
    if asked.users is None:
        return as_json(await lists.of(Who(asked.user_id, tuple(asked.item_ids or ()))))
    charge(request, key, len(asked.users) - 1.0)
    answers = [await lists.of_many(Who.of(one)) for one in asked.users]
    return await work(request).ranking.run(lambda: as_json(stamp(current(request)) | {"answers": answers}))


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
    category: Annotated[list[Category] | None, Query(max_length=100, description="Only of these.")] = None,
    in_stock: Annotated[bool, Query(description="Only what is in the server's file of the stock.")] = False,
    exclude: Annotated[Several, Query(description="Not these items.")] = None,
    exclude_category: Annotated[list[Category] | None, Query(max_length=100, description="Not of these.")] = None,
    exclude_seen: Annotated[bool, Query(description="Leave out what was taken already.")] = True,
    diversity: Annotated[float, Query(ge=0, le=1, description="0: by score; towards 1: more variety.")] = 0.0,
    unknown: Annotated[Unknown, Query(description="For unknown ids.")] = "popular",
    popular_days: Annotated[Days | None, Query(description="What is popular counts so many days.")] = None,
    rules: Annotated[bool, Query(description="By the shop's rules, where the server has some.")] = True,
    variant: Annotated[Variant | None, Query(description="Of an A/B test.")] = None,
) -> Response:
    """The same for one person, by an address alone; for nobody, what is popular."""
    asked = RecommendIn.model_construct(
        k=k, offset=offset, exclude_seen=exclude_seen, diversity=diversity, unknown=unknown,
        popular_days=popular_days, rules=rules, variant=variant,
        filters=FiltersIn(categories=category or None, in_stock=in_stock),
        exclude=ExcludeIn(item_ids=exclude or [], categories=exclude_category or []),
    )  # fmt: skip
    return as_json(await Lists(request, asked).of(Who(user_id, tuple(item_id or ()))))


@router.get(
    "/popular", response_model=Popular, responses=errors(404, 409) | answered(POPULAR), dependencies=[Depends(asks)]
)
async def popular(
    request: Request,
    k: K = 10,
    offset: Offset = 0,
    category: Annotated[list[Category] | None, Query(max_length=100, description="Only of these.")] = None,
    days: Annotated[Days | None, Query(description="Of so many days before the log's end; by default all.")] = None,
    in_stock: Annotated[bool, Query(description="Only what is in the server's file of the stock.")] = False,
    rules: Annotated[bool, Query(description="By the shop's rules, where the server has some.")] = True,
) -> Response:
    """What most users took, of all items or of some categories."""
    snapshot, has, ruling = current(request), stocked(request, in_stock), rules_of(request, rules)

    def answer() -> Response:
        filters = filters_of(FiltersIn(categories=category or None), snapshot, has)
        counts = recent_counts(snapshot, days)
        found = snapshot.retriever.popular(k, offset=offset, filters=filters, rules=ruling, counts=counts)
        told: dict[str, Any] = {"days": days, "offset": offset, "popular": ranked(found, snapshot)}
        return as_json(stamp(snapshot) | told)

    return await work(request).ranking.run(answer)
