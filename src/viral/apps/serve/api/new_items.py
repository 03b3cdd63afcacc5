"""``/v1/cold``: a picture and a title, and what the model makes of them."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, Request, UploadFile
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import Response

from viral.apps.serve.api.examples import COLD
from viral.apps.serve.api.json_answers import alike, as_json, stamp
from viral.apps.serve.api.openapi import answered, errors
from viral.apps.serve.api.response_models import ColdOut
from viral.apps.serve.hot_reload import current_snapshot
from viral.apps.serve.problems import Problem
from viral.apps.serve.security.access import asks_much
from viral.apps.serve.snapshot import Snapshot
from viral.apps.serve.thread_pools import pools

router = APIRouter(prefix="/v1", tags=["new items"])
MAX_TITLE, MAX_TEXT, MOST = 2_000, 20_000, 100


@router.post(
    "/cold",
    response_model=ColdOut,
    responses=errors(409, 413, 415) | answered(COLD),
    dependencies=[Depends(asks_much)],
)
async def cold(
    request: Request,
    title: Annotated[str, Form(min_length=1, max_length=MAX_TITLE, examples=["Blue mug"])],
    text: Annotated[str, Form(max_length=MAX_TEXT, description="Further words, as the catalogue has them.")] = "",
    k: Annotated[int, Form(ge=1, le=MOST)] = 10,
    picture: Annotated[UploadFile | SkipJsonSchema[None], File(description="JPEG, PNG or WebP.")] = None,
) -> Response:
    """Describe, encode and embed an item that the model never saw: what is like it, and who would want it."""
    snapshot = current_snapshot(request)
    data = None if picture is None else await picture.read()
    if data is not None and len(data) > request.app.state.settings.max_picture:
        raise Problem(413, f"the picture is longer than {request.app.state.settings.max_picture:,} bytes")
    return await pools(request).long.run(lambda: _answer(snapshot, title, data, text, k))


def _answer(snapshot: Snapshot, title: str, picture: bytes | None, text: str, k: int) -> Response:
    retriever = snapshot.retriever
    item = retriever.cold(title, picture, text=text)
    similar = {by: alike(retriever.similar(item, k, by=by), snapshot) for by in ("fused", *item.features)}
    audience = [asdict(user) for user in retriever.audience(item, k)]
    told = {"title": title, "description": item.description, "way": item.way, "similar": similar, "fans": audience}
    return as_json(stamp(snapshot) | told)
