"""What is said of an item's picture: shown, edited and locked, unlocked, and asked for anew.

Edits are those of ``viral enrich --edit`` and ``--unlock``, and a new answer goes through the ledger and into the file
of descriptions as a run of ``viral enrich`` would put it there.
"""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from viral.apps.serve.hot_reload import current_snapshot
from viral.apps.serve.pages.describe_again import alone, describe_again, fault_of
from viral.apps.serve.pages.item_cards import Card, ItemCards, cards_of
from viral.apps.serve.pages.rendering import is_partial, may_edit, quoted, render
from viral.apps.serve.problems import status_of
from viral.apps.serve.security.access import asks, changes
from viral.apps.serve.thread_pools import pools
from viral.base.errors import UnknownIdError, UsageError, ViralError
from viral.base.files import fingerprint
from viral.base.language import _, marked
from viral.data.dataset import Dataset
from viral.run.retrieval import DescriberOptions

router = APIRouter(prefix="/description", include_in_schema=False)
NEXT = marked("The model reads it once the edits are applied.")
Item = Annotated[str, Form(max_length=10_000)]
Whole = Annotated[bool, Form()]


@router.get("", dependencies=[Depends(asks)])
def show(request: Request, item: str, edit: bool = False, whole: bool = False) -> Response:
    """The description of one item, or the form to change it with."""
    card = _card(request, item)
    return _answer(request, card, whole=whole, editing=edit and may_edit(request))


@router.post("", dependencies=[Depends(changes)])
async def keep(
    request: Request, item: Item, text: Annotated[str, Form()] = "", was: Annotated[str, Form()] = "",
    whole: Whole = False,
) -> Response:  # fmt: skip
    """Describe the item by hand, and lock it; refused where somebody else has changed it since the form was made."""

    def write() -> Response:
        from viral.enrich import edit

        dataset = _dataset(request)
        with alone(dataset):
            card = _card(request, item)
            if was and was != seen_as(card):
                fault = _("Somebody changed it while you wrote. Save again to put your words in the place of these.")
                return _answer(request, card, 409, whole=whole, editing=True, draft=text, fault=fault, theirs=True)
            try:
                edit(dataset, item, text)
            except UsageError as error:
                fault = _("It needs at least a word.") if not text.strip() else f"{error.what}. {_('Shorten it.')}"
                return _answer(request, card, 422, whole=whole, editing=True, draft=text, fault=fault)
        return _answer(request, _card(request, item), whole=whole, told=f"{_('Saved, and locked.')} {_(NEXT)}")

    return await pools(request).writing.run(write)


@router.post("/unlock", dependencies=[Depends(changes)])
async def release(request: Request, item: Item, whole: Whole = False) -> Response:
    """Take the human description away; the describer's counts again."""

    def write() -> Response:
        from viral.enrich import unlock

        dataset = _dataset(request)
        with alone(dataset):
            try:
                unlock(dataset, item)
            except UnknownIdError as error:
                return _answer(request, _card(request, item), 409, whole=whole, fault=f"{error.what}.")
        return _answer(
            request, _card(request, item), whole=whole, told=_("Unlocked: the describer's words count again.")
        )

    return await pools(request).writing.run(write)


@router.post("/again", dependencies=[Depends(changes)])
async def again(request: Request, item: Item, whole: Whole = False) -> Response:
    """Have the describer look at the picture once more."""

    def ask() -> Response:
        dataset, card = _dataset(request), _card(request, item)
        try:
            given: DescriberOptions = request.app.state.settings.describer
            told = describe_again(dataset, _cards(request).described, card, given)
        except ViralError as error:
            hint = f" {error.hint}" if error.hint else ""
            return _answer(request, card, status_of(error), whole=whole, fault=f"{error.what}.{hint}")
        return _answer(request, _card(request, item), whole=whole, told=told)

    return await pools(request).long.run(ask)


def seen_as(card: Card) -> str:
    """What tells whether the words have changed since a form was made."""
    return fingerprint(card.said.text)[:16]


@dataclass(frozen=True, slots=True)
class Rights:
    """What may be done to descriptions here and now."""

    edit: bool
    ask: bool  # the describer anew
    fault: str  # why it cannot be asked; "" where it can

    @classmethod
    def of(cls, request: Request, cards: ItemCards) -> "Rights":
        edit = cards.dataset is not None and may_edit(request)
        given: DescriberOptions = request.app.state.settings.describer
        fault = fault_of(cards.described, given) if cards.dataset is not None else ""
        return cls(edit, edit and not fault, fault)


def block(card: Card, rights: Rights, *, whole: bool = False) -> dict[str, Any]:
    """What the template of a description is given."""
    return {
        "card": card, "whole": whole, "rights": rights, "was": seen_as(card), "editing": False,
        "draft": card.said.text, "fault": "", "told": "", "theirs": False,
    }  # fmt: skip


def _cards(request: Request) -> ItemCards:
    return cards_of(current_snapshot(request))


def _card(request: Request, item: str) -> Card:
    return _cards(request)[item]


def _dataset(request: Request) -> Dataset:
    dataset: Dataset | None = current_snapshot(request).dataset
    if dataset is None:
        raise UsageError("descriptions are kept in the data set", hint="viral serve RUN --dataset DATASET")
    return dataset


def _answer(request: Request, card: Card, status: int = 200, *, whole: bool, **more: object) -> Response:
    """The block alone for htmx; for a plain form, the item's page."""
    if not is_partial(request) and not more.get("editing") and not more.get("fault"):
        return RedirectResponse(f"/items/{quoted(card.item_id)}", 303)
    template = "_said.html" if is_partial(request) else "said.html"
    given = block(card, Rights.of(request, _cards(request)), whole=whole) | more
    page = render(request, template, code=status, **given)
    if more.get("told"):
        page.headers["HX-Trigger"] = "viral:edited"  # the counter of what waits looks again
    return page
