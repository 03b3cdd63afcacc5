"""A product that is not in the shop yet: its picture described, its neighbours, and the users who would want it."""

import base64
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, Request, UploadFile
from starlette.responses import Response

from viral.errors import UsageError, ViralError
from viral.pictures import PictureError
from viral.retrieval import ColdItem
from viral.retrieval.similarity import FUSED
from viral.serve.pages import render
from viral.serve.pages.item import FANS, NEIGHBOURS, liked, wanting, ways
from viral.serve.pages.pictures import SIZES, shrunk
from viral.serve.pages.shelf import Shelf, shelf_of
from viral.serve.problems import status_of
from viral.serve.security.access import asks, asks_much
from viral.serve.snapshot import Snapshot

router = APIRouter(prefix="/new", include_in_schema=False)
TITLE, TEXT = 1000, 20_000  # characters


@dataclass(frozen=True, slots=True)
class Tried:
    """A new item as the model sees it, and its picture as the page shows it."""

    item: ColdItem
    picture: str  # a data URI; "" without one


@router.get("", dependencies=[Depends(asks)])
def form(request: Request) -> Response:
    """The empty form."""
    snapshot = request.app.state.live.current
    return render(request, "new.html", shelf=shelf_of(snapshot), tried=None, fault="", **_given("", ""))


@router.post("", dependencies=[Depends(asks_much)])
async def attempt(
    request: Request,
    title: Annotated[str, Form()] = "",
    text: Annotated[str, Form()] = "",
    picture: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Describe, encode and place a new item; nothing of it is kept."""
    snapshot = request.app.state.live.current
    data = await picture.read() if picture is not None else b""

    def made() -> Response:
        shelf, fault, status = shelf_of(snapshot), "", 200
        shown: dict[str, object] = {"tried": None}
        try:
            shown = _found(snapshot, shelf, _try(snapshot, title, text, data))
        except ViralError as error:
            fault, status = _in_words(error), status_of(error)
        template = "_tried.html" if "hx-request" in request.headers else "new.html"
        page = render(request, template, shelf=shelf, fault=fault, **shown, **_given(title, text))
        page.status_code = status
        return page

    answer: Response = await request.app.state.work.long.run(made)
    return answer


def _try(snapshot: Snapshot, title: str, text: str, data: bytes) -> Tried:
    if not title.strip() and not data:
        raise UsageError("there is nothing to go by", hint="Give the product a picture, a title, or best both.")
    for name, words, most in (("title", title, TITLE), ("text", text, TEXT)):
        if len(words) > most:
            raise UsageError(f"the {name} has {len(words):,} characters", hint=f"At most {most:,} are read.")
    uri = f"data:image/webp;base64,{base64.b64encode(shrunk(data, SIZES[1])).decode()}" if data else ""
    return Tried(snapshot.retriever.cold(title, data or None, text=text), uri)


def _found(snapshot: Snapshot, shelf: Shelf, tried: Tried) -> dict[str, object]:
    """What is like it in every way, and who would want it."""
    retriever = snapshot.retriever
    names = [FUSED, *(name for name in tried.item.features if name in snapshot.bundle.material.features)]
    alike = {name: liked(shelf, retriever.like(tried.item, NEIGHBOURS, by=name)) for name in names}
    fans = wanting(snapshot, shelf, retriever.fans(tried.item, FANS))
    return {"tried": tried, "ways": ways(names), "alike": alike, "fans": fans}


def _given(title: str, text: str) -> dict[str, str]:
    return {"given_title": title[:TITLE], "given_text": text[:TEXT]}


def _in_words(error: ViralError) -> str:
    told = f"the picture cannot be used: {error.status}" if isinstance(error, PictureError) else error.what
    what = told[:1].upper() + told[1:]
    hint = error.hint or ""
    return f"{what}. {hint[:1].upper() + hint[1:]}".strip()
