"""``/v1/recommend``, ``/v1/similar``, ``/v1/explain``."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Query, Request
from starlette.responses import Response

from viral.errors import UnknownIdError
from viral.explain import explain, word_effects
from viral.retrieval.filters import Predicate
from viral.retrieval.similarity import FUSED
from viral.serve.api.answers import Explained, Recommendations, SimilarItems
from viral.serve.api.common import alike, as_json, current, errors, filters_of, ranked, stocked, work
from viral.serve.api.examples import EXPLAINED, RECOMMENDED, SIMILAR, answered
from viral.serve.api.schemas import Category, FiltersIn, Id, RecommendIn
from viral.serve.security.access import Reader, asks, charge
from viral.serve.settings import MAX_K
from viral.serve.snapshot import Snapshot

router = APIRouter(prefix="/v1", tags=["ranking"])
EXAMPLES = {
    "a user": {"value": {"user_id": "u0001", "k": 5}},
    "somebody new": {"value": {"item_ids": ["p0001", "p0002"], "k": 5, "diversity": 0.3}},
    "of some categories": {
        "value": {"user_id": "u0001", "exclude_seen": False, "filters": {"categories": ["mug"], "deny": ["p0007"]}}
    },
    "what is in stock": {"value": {"user_id": "u0001", "filters": {"in_stock": True}}},
}


@router.post(
    "/recommend",
    response_model=Recommendations,
    responses=errors(404, 409, 413) | answered(RECOMMENDED),
    dependencies=[Depends(asks)],
)
async def recommend(request: Request, asked: Annotated[RecommendIn, Body(openapi_examples=EXAMPLES)]) -> Response:
    """The best items for a user, or for somebody who took some items."""
    snapshot = current(request)
    in_stock = stocked(request, asked.filters.in_stock)
    return await work(request).ranking.run(lambda: _recommended(snapshot, asked, in_stock))


def _recommended(snapshot: Snapshot, asked: RecommendIn, in_stock: Predicate | None) -> Response:
    retriever = snapshot.retriever
    if asked.user_id is not None:
        taste = retriever.taste(_user(snapshot, asked.user_id))
    else:
        taste = retriever.newcomer([snapshot.known_item(item_id) for item_id in asked.item_ids or ()])
    filters = filters_of(asked.filters, snapshot, in_stock)
    found = retriever.rank(taste, asked.k, exclude_seen=asked.exclude_seen, filters=filters, diversity=asked.diversity)
    return as_json({"bundle": snapshot.etag, "recommendations": ranked(found)})


def _user(snapshot: Snapshot, user_id: str) -> str:
    """The id; ``UnknownIdError`` says how somebody new is recommended to."""
    try:
        return snapshot.known_user(user_id)
    except UnknownIdError as error:
        hint = f"{error.hint}; for somebody new give item_ids, what they took, in the place of user_id"
        raise UnknownIdError(error.what, hint=hint) from None


@router.get(
    "/similar",
    response_model=SimilarItems,
    responses=errors(404, 409) | answered(SIMILAR),
    dependencies=[Depends(asks)],
)
async def similar(
    request: Request,
    item_id: Annotated[Id, Query(examples=["p0001"])],
    k: Annotated[int, Query(ge=1, le=MAX_K)] = 10,
    by: Annotated[str, Query(max_length=64, description="fused, or a modality: text, title, image, …")] = FUSED,
    category: Annotated[list[Category] | None, Query(max_length=100, description="Only of these.")] = None,
    in_stock: Annotated[bool, Query(description="Only what is in the server's file of the stock.")] = False,
) -> Response:
    """The items most like one, by the model's vectors or by a modality's features."""
    snapshot, has = current(request), stocked(request, in_stock)

    def answer() -> Response:
        if by != FUSED and by not in snapshot.bundle.material.features:
            kept = ", ".join([FUSED, *snapshot.bundle.material.features])
            raise UnknownIdError(f"the bundle keeps no {by!r} features", hint=f"known: {kept}")
        filters = filters_of(FiltersIn(categories=category or None), snapshot, has)
        found = snapshot.retriever.similar(snapshot.known_item(item_id), k, by=by, filters=filters)
        return as_json({"bundle": snapshot.etag, "item_id": item_id, "by": by, "similar": alike(found)})

    return await work(request).ranking.run(answer)


@router.get("/explain", response_model=Explained, responses=errors(404, 409) | answered(EXPLAINED))
async def why(
    request: Request,
    key: Reader,
    user_id: Annotated[Id, Query(examples=["u0001"])],
    item_id: Annotated[Id, Query(examples=["p0001"])],
    words: Annotated[bool, Query(description="Also which words matter; the description is encoded anew.")] = False,
) -> Response:
    """A score taken apart: its parts, where they come from, and the history that carries it."""
    charge(request, key, 20.0 if words else 1.0)
    snapshot = current(request)

    def answer() -> Response:
        snapshot.known_user(user_id), snapshot.known_item(item_id)
        found = explain(
            snapshot.bundle, user_id, item_id, fold_in=snapshot.fold_in, information=snapshot.information
        ).to_json()
        effects = word_effects(snapshot.retriever, user_id, item_id) if words else None
        told = {"words": [asdict(one) for one in effects]} if effects is not None else {}
        return as_json({"bundle": snapshot.etag} | found | told)

    pools = work(request)
    return await (pools.long if words else pools.ranking).run(answer)
