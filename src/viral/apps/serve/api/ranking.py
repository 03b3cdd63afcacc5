"""``/v1/similar`` and ``/v1/explain``."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from viral.apps.serve.api.answers import Explained, SimilarItems
from viral.apps.serve.api.common import as_json, current, errors, filters_of, stamp, stocked, work
from viral.apps.serve.api.examples import EXPLAINED, SIMILAR, answered
from viral.apps.serve.api.schemas import Category, FiltersIn, Id, Variant
from viral.apps.serve.api.shown import alike
from viral.apps.serve.security.access import Reader, asks, charge
from viral.apps.serve.settings import MAX_K
from viral.apps.serve.variants import Variants
from viral.base.errors import UnknownIdError
from viral.run.explain import because, explain, word_effects
from viral.run.retrieval.similarity import FUSED

router = APIRouter(prefix="/v1", tags=["ranking"])


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
        return as_json(stamp(snapshot) | {"item_id": item_id, "by": by, "similar": alike(found, snapshot)})

    return await work(request).ranking.run(answer)


@router.get("/explain", response_model=Explained, responses=errors(404, 409) | answered(EXPLAINED))
async def why(
    request: Request,
    key: Reader,
    user_id: Annotated[Id, Query(examples=["u0001"])],
    item_id: Annotated[Id, Query(examples=["p0001"])],
    words: Annotated[bool, Query(description="Also which words matter; the description is encoded anew.")] = False,
    variant: Annotated[Variant | None, Query(description="Of an A/B test; by default as the user's id tells.")] = None,
) -> Response:
    """Why, in a sentence, and the score taken apart: its parts, where they come from, the history that carries it."""
    charge(request, key, 20.0 if words else 1.0)
    variants: Variants = request.app.state.variants
    snapshot = variants.chosen(variant, user_id)[1].current

    def answer() -> Response:
        snapshot.known_user(user_id), snapshot.known_item(item_id)
        found = explain(snapshot.bundle, user_id, item_id, fold_in=snapshot.fold_in, information=snapshot.information)
        effects = word_effects(snapshot.retriever, user_id, item_id) if words else None
        told: dict[str, Any] = {"because": because(found, snapshot.bundle)}
        told |= {"words": [asdict(one) for one in effects]} if effects is not None else {}
        return as_json(stamp(snapshot) | found.to_json() | told)

    pools = work(request)
    return await (pools.long if words else pools.ranking).run(answer)
