"""``/v1/items``: search and look up; ``/v1/categories``."""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from viral.serve.api.answers import ItemDetail, ItemPage
from viral.serve.api.common import as_json, current, errors, work
from viral.serve.api.examples import CATEGORIES, ITEM_DETAIL, ITEM_PAGE, answered
from viral.serve.api.schemas import Category
from viral.serve.security.access import asks
from viral.serve.settings import MAX_K
from viral.serve.snapshot import ItemView

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
        items = [_told(snapshot.item_at(row)) for row in found[offset : offset + limit]]
        return as_json({"bundle": snapshot.etag, "total": len(found), "offset": offset, "items": items})

    return await work(request).ranking.run(answer)


@router.get("/categories", responses=errors() | answered(CATEGORIES))
async def categories(request: Request) -> dict[str, int]:
    """How many items are in each category, the largest first."""
    return dict(current(request).categories)


@router.get("/items/{item_id:path}", response_model=ItemDetail, responses=errors(404) | answered(ITEM_DETAIL))
async def item(request: Request, item_id: str) -> Response:
    """One item."""
    snapshot = current(request)

    def answer() -> Response:
        view = snapshot.item(item_id)
        users = int((snapshot.bundle.seen.items == snapshot.bundle.items.index(item_id)).sum())
        more = {"bundle": snapshot.etag, "users": users, "information": dict(snapshot.information.get(item_id, {}))}
        return as_json(_told(view) | more)

    return await work(request).ranking.run(answer)


def _told(item: ItemView) -> dict[str, Any]:
    picture = f"/pictures/{quote(item.id, safe='')}" if item.image is not None else None
    return {
        "item_id": item.id, "title": item.title, "text": item.text, "category": item.category,
        "description": item.description, "picture": picture,
    }  # fmt: skip
