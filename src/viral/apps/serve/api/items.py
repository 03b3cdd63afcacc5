"""``/v1/items``: search and look up; ``/v1/categories``; ``/v1/similar``."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from viral.apps.serve.api.examples import CATEGORIES, ITEM_DETAIL, ITEM_PAGE, SIMILAR
from viral.apps.serve.api.filters import filters_of, stocked
from viral.apps.serve.api.json_answers import alike, as_json, image_url, picture, stamp
from viral.apps.serve.api.openapi import answered, errors
from viral.apps.serve.api.request_models import Categories, Category, FiltersIn, Id, InStock
from viral.apps.serve.api.response_models import ItemDetail, ItemPage, SimilarItems
from viral.apps.serve.hot_reload import current_snapshot
from viral.apps.serve.security.access import asks
from viral.apps.serve.settings import MAX_K
from viral.apps.serve.snapshot import ItemView, OfFiles, Snapshot
from viral.apps.serve.thread_pools import pools
from viral.apps.serve.watched_files import signature
from viral.base.errors import UnknownIdError
from viral.data.edits import EDITS_FILE
from viral.enrich import load_edits
from viral.run.retrieval.similarity import FUSED

router = APIRouter(prefix="/v1", tags=["items"], dependencies=[Depends(asks)])
similarity = APIRouter(prefix="/v1", tags=["ranking"], dependencies=[Depends(asks)])


@router.get("/items", response_model=ItemPage, responses=errors() | answered(ITEM_PAGE))
async def search(
    request: Request,
    q: Annotated[
        str, Query(max_length=200, description="Words; title or text has them all.", examples=["blue mug"])
    ] = "",
    category: Annotated[Category | None, Query(description="Only of this one.")] = None,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_K)] = 20,
) -> Response:
    """Items by words of their title and text; those with all words in the title come first."""
    snapshot = current_snapshot(request)

    def answer() -> Response:
        found = snapshot.search(q, category)
        edits = _edits(snapshot)
        items = [_told(snapshot.item_at(row), snapshot, edits) for row in found[offset : offset + limit]]
        return as_json(stamp(snapshot) | {"total": len(found), "offset": offset, "items": items})

    return await pools(request).ranking.run(answer)


@router.get("/categories", responses=errors() | answered(CATEGORIES))
async def categories(request: Request) -> dict[str, int]:
    """How many items are in each category, the largest first."""
    return dict(current_snapshot(request).categories)


@router.get("/items/{item_id:path}", response_model=ItemDetail, responses=errors(404) | answered(ITEM_DETAIL))
async def item(request: Request, item_id: str) -> Response:
    """One item, with what was edited of it until now."""
    snapshot = current_snapshot(request)

    def answer() -> Response:
        view = snapshot.item(item_id)
        users = int((snapshot.bundle.seen.items == snapshot.bundle.items.index(item_id)).sum())
        more = {"users": users, "information": dict(snapshot.information.get(item_id, {}))}
        return as_json(stamp(snapshot) | _told(view, snapshot, _edits(snapshot)) | more)

    return await pools(request).ranking.run(answer)


@similarity.get("/similar", response_model=SimilarItems, responses=errors(404, 409) | answered(SIMILAR))
async def similar(
    request: Request,
    item_id: Annotated[Id, Query(examples=["p0001"])],
    k: Annotated[int, Query(ge=1, le=MAX_K)] = 10,
    by: Annotated[str, Query(max_length=64, description="fused, or a modality: text, title, image, …")] = FUSED,
    category: Categories = None,
    in_stock: InStock = False,
) -> Response:
    """The items most like one, by the model's vectors or by a modality's features."""
    snapshot, has = current_snapshot(request), stocked(request, in_stock)

    def answer() -> Response:
        if by != FUSED and by not in snapshot.bundle.material.features:
            kept = ", ".join([FUSED, *snapshot.bundle.material.features])
            raise UnknownIdError(f"the bundle keeps no {by!r} features", hint=f"known: {kept}")
        filters = filters_of(FiltersIn(categories=category or None), snapshot, has)
        found = snapshot.retriever.similar(snapshot.known_item(item_id), k, by=by, filters=filters)
        return as_json(stamp(snapshot) | {"item_id": item_id, "by": by, "similar": alike(found, snapshot)})

    return await pools(request).ranking.run(answer)


class Edits(OfFiles[Mapping[str, str]]):
    """Descriptions that humans wrote since the bundle was made, by item id."""


def _edits(snapshot: Snapshot) -> Mapping[str, str]:
    dataset = snapshot.dataset
    if dataset is None:
        return {}
    return snapshot.kept(Edits).of(signature(dataset.path / EDITS_FILE), lambda: load_edits(dataset))


def _told(item: ItemView, snapshot: Snapshot, edits: Mapping[str, str]) -> dict[str, Any]:
    more = {name: snapshot.of_catalogue(name, item.id) for name in ("price", "colour", "brand")}
    return {
        "item_id": item.id, "title": item.title, "text": item.text, "category": item.category,
        "description": edits.get(item.id, item.description), "edited": item.id in edits,
        "picture": picture(item.id, snapshot), "image_url": image_url(item.id, snapshot), **more,
    }  # fmt: skip
