"""``/v1/items``: search and look up; ``/v1/categories``."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from viral.apps.serve.api.answers import ItemDetail, ItemPage
from viral.apps.serve.api.common import as_json, current, errors, stamp, work
from viral.apps.serve.api.examples import CATEGORIES, ITEM_DETAIL, ITEM_PAGE, answered
from viral.apps.serve.api.schemas import Category
from viral.apps.serve.api.shown import image_url, picture
from viral.apps.serve.edited import edits_of
from viral.apps.serve.security.access import asks
from viral.apps.serve.settings import MAX_K
from viral.apps.serve.snapshot import ItemView, Snapshot

router = APIRouter(prefix="/v1", tags=["items"], dependencies=[Depends(asks)])


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
    snapshot = current(request)

    def answer() -> Response:
        found = snapshot.search(q, category)
        edits = edits_of(snapshot)
        items = [_told(snapshot.item_at(row), snapshot, edits) for row in found[offset : offset + limit]]
        return as_json(stamp(snapshot) | {"total": len(found), "offset": offset, "items": items})

    return await work(request).ranking.run(answer)


@router.get("/categories", responses=errors() | answered(CATEGORIES))
async def categories(request: Request) -> dict[str, int]:
    """How many items are in each category, the largest first."""
    return dict(current(request).categories)


@router.get("/items/{item_id:path}", response_model=ItemDetail, responses=errors(404) | answered(ITEM_DETAIL))
async def item(request: Request, item_id: str) -> Response:
    """One item, with what was edited of it until now."""
    snapshot = current(request)

    def answer() -> Response:
        view = snapshot.item(item_id)
        users = int((snapshot.bundle.seen.items == snapshot.bundle.items.index(item_id)).sum())
        more = {"users": users, "information": dict(snapshot.information.get(item_id, {}))}
        return as_json(stamp(snapshot) | _told(view, snapshot, edits_of(snapshot)) | more)

    return await work(request).ranking.run(answer)


def _told(item: ItemView, snapshot: Snapshot, edits: Mapping[str, str]) -> dict[str, Any]:
    columns, row = snapshot.bundle.material.columns, snapshot.bundle.items.index(item.id)
    more = {name: columns[name][row] or None if name in columns else None for name in ("price", "colour", "brand")}
    return {
        "item_id": item.id, "title": item.title, "text": item.text, "category": item.category,
        "description": edits.get(item.id, item.description), "edited": item.id in edits,
        "picture": picture(item.id, snapshot), "image_url": image_url(item.id, snapshot), **more,
    }  # fmt: skip
