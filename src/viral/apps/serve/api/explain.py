"""``/v1/explain``: why an item is recommended to a user."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from viral.apps.serve.ab_test import Variants
from viral.apps.serve.api.examples import EXPLAINED
from viral.apps.serve.api.json_answers import as_json, stamp
from viral.apps.serve.api.openapi import answered, errors
from viral.apps.serve.api.request_models import Id, Variant
from viral.apps.serve.api.response_models import Explained
from viral.apps.serve.security.access import Reader, charge
from viral.apps.serve.thread_pools import pools
from viral.run.explain import because, explain, word_effects

router = APIRouter(prefix="/v1", tags=["ranking"])


@router.get("/explain", response_model=Explained, responses=errors(404, 409) | answered(EXPLAINED))
async def why(
    request: Request,
    key: Reader,
    user_id: Annotated[Id, Query(examples=["u0001"])],
    item_id: Annotated[Id, Query(examples=["p0001"])],
    words: Annotated[bool, Query(description="Also which words matter; the description is encoded anew.")] = False,
    variant: Annotated[Variant | None, Query(description="Of an A/B test; by default as the user's id tells.")] = None,
) -> Response:
    """Why, in a sentence, and the score decomposed: its parts, where they come from, the history that carries it."""
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

    pool = pools(request).long if words else pools(request).ranking
    return await pool.run(answer)
