"""A product that is not in the shop yet: its picture described, its neighbours, and the users who would want it."""

import base64
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, Path, Request, UploadFile
from starlette.responses import PlainTextResponse, Response

from viral.apps.serve.hot_reload import current_snapshot
from viral.apps.serve.pages.item import AUDIENCE, NEIGHBOURS, audience_cards, ways, with_cards
from viral.apps.serve.pages.item_cards import ItemCards, cards_of
from viral.apps.serve.pages.pictures import SIZES, shrunk
from viral.apps.serve.pages.rendering import is_partial, render
from viral.apps.serve.problems import status_of
from viral.apps.serve.security.access import asks, asks_much
from viral.apps.serve.snapshot import Snapshot
from viral.apps.serve.thread_pools import pools
from viral.base.errors import UsageError, ViralError
from viral.base.language import _, marked
from viral.data.pictures import PictureError
from viral.run.retrieval import ColdItem, Retriever
from viral.run.retrieval.similarity import FUSED

router = APIRouter(prefix="/new", include_in_schema=False)
TITLE, TEXT = 1000, 20_000  # characters
STEPS = {  # of a new item, as they are told
    "look": marked("Step 1 of 5: looking at the picture …"),
    "describe": marked("Step 2 of 5: describing it …"),
    "encode": marked("Step 3 of 5: encoding words and picture …"),
    "place": marked("Step 4 of 5: finding its place …"),
    "compare": marked("Step 5 of 5: comparing it with items and users …"),
}
WAITING = marked("Waiting for its turn …")
MOST_TRIES = 100  # whose steps are remembered
SAMPLED, WEAK = 60, 0.05  # items whose best users say what a clear audience is, and the share that has none
Step = Annotated[str, Path(max_length=64)]


@dataclass(frozen=True, slots=True)
class TriedItem:
    """A new item as the model sees it, and its picture as the page shows it."""

    item: ColdItem
    picture: str  # a data URI; "" without one


class Tries:
    """How far each try is, of those under way in this process."""

    def __init__(self) -> None:
        self._steps: OrderedDict[str, str] = OrderedDict()

    def told(self, ticket: str, step: str) -> None:
        """A try goes on to a step."""
        self._steps[ticket] = step
        while len(self._steps) > MOST_TRIES:
            self._steps.popitem(last=False)

    def done(self, ticket: str) -> None:
        """A try is over."""
        self._steps.pop(ticket, None)

    def of(self, ticket: str) -> str:
        """Its step; "" of one that is not known."""
        return self._steps.get(ticket, "")


class Audience:
    """How much the one user who wants an item most wants it, of the items that are known: a weak one is below."""

    def __init__(self) -> None:
        self._least: float | None = None

    def least(self, retriever: Retriever) -> float:
        """What all but a few known items reach."""
        if self._least is None:
            bundle = retriever.bundle
            warm = (bundle.seen.item_degrees() > 0).nonzero().squeeze(1).tolist()
            chosen = warm[:: max(1, len(warm) // SAMPLED)][:SAMPLED]
            best = sorted(user.score for item in chosen for user in retriever.audience(bundle.items.ids[item], 1))
            self._least = best[int(WEAK * len(best))] if best else 0.0
        return self._least


_tries = Tries()


@router.get("", dependencies=[Depends(asks)])
def form(request: Request) -> Response:
    """The empty form."""
    snapshot = current_snapshot(request)
    return render(request, "new.html", cards=cards_of(snapshot), tried=None, fault="", **_given(request, "", ""))


@router.get("/warm", dependencies=[Depends(asks)])
def warmth(request: Request) -> Response:
    """Whether the models are loaded: a part of the page."""
    return render(request, "_warm.html", warm=request.app.state.warmth.state, warmed=True)


@router.get("/step/{ticket}", dependencies=[Depends(asks)])
def step(ticket: Step) -> Response:
    """How far a try is, in words."""
    return PlainTextResponse(_(STEPS.get(_tries.of(ticket), WAITING)))


@router.post("", dependencies=[Depends(asks_much)])
async def attempt(
    request: Request,
    title: Annotated[str, Form()] = "",
    text: Annotated[str, Form()] = "",
    picture: Annotated[UploadFile | None, File()] = None,
    ticket: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """Describe, encode and place a new item; nothing of it is kept."""
    snapshot = current_snapshot(request)
    data = await picture.read() if picture is not None else b""

    def made() -> Response:
        cards, fault, status = cards_of(snapshot), "", 200
        shown: dict[str, Any] = {"tried": None}
        try:
            shown = _found(snapshot, cards, _try(snapshot, title, text, data, ticket), ticket)
        except ViralError as error:
            fault, status = _in_words(error), status_of(error)
        finally:
            _tries.done(ticket)
        template = "_tried.html" if is_partial(request) else "new.html"
        given = shown | _given(request, title, text)
        return render(request, template, code=status, cards=cards, fault=fault, **given)

    return await pools(request).long.run(made)


def _try(snapshot: Snapshot, title: str, text: str, data: bytes, ticket: str) -> TriedItem:
    if not title.strip() and not data:
        raise UsageError(_("There is nothing to go by"), hint=_("Give the product a picture, a title, or best both."))
    for words, most in ((title, TITLE), (text, TEXT)):
        if len(words) > most:
            told = _("One of the texts has %(number)s characters", number=f"{len(words):,}")
            raise UsageError(told, hint=_("At most %(number)s are read.", number=f"{most:,}"))
    uri = f"data:image/webp;base64,{base64.b64encode(shrunk(data, SIZES[1])).decode()}" if data else ""
    made = snapshot.retriever.cold(title, data or None, text=text, on_step=partial(_tries.told, ticket))
    return TriedItem(made, uri)


def _found(snapshot: Snapshot, cards: ItemCards, tried: TriedItem, ticket: str) -> dict[str, Any]:
    """What is like it in every way, and who would want it."""
    retriever = snapshot.retriever
    _tries.told(ticket, "compare")
    names = [FUSED, *(name for name in tried.item.features if name in snapshot.bundle.material.features)]
    alike = {name: with_cards(cards, retriever.similar(tried.item, NEIGHBOURS, by=name)) for name in names}
    best = retriever.audience(tried.item, AUDIENCE)
    unclear = not best or best[0].score < snapshot.kept(Audience).least(retriever)
    return {
        "tried": tried,
        "ways": ways(names),
        "alike": alike,
        "audience": audience_cards(snapshot, cards, best),
        "unclear": unclear,
    }


def _given(request: Request, title: str, text: str) -> dict[str, Any]:
    known = {"warm": request.app.state.warmth.state, "warmed": False, "ticket": secrets.token_urlsafe(12)}
    return known | {"given_title": title[:TITLE], "given_text": text[:TEXT]}


def _in_words(error: ViralError) -> str:
    told = error.what
    if isinstance(error, PictureError):
        told = _("The picture cannot be used: %(reason)s", reason=_(error.status))
    what = told[:1].upper() + told[1:]
    hint = error.hint or ""
    return f"{what}. {hint[:1].upper() + hint[1:]}".strip()
