"""Why an item is recommended to a user: the score taken apart, what speaks for it, and the words that matter."""

from dataclasses import dataclass

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from viral.errors import ViralError
from viral.explain import Explanation, WordEffect, explain, word_effects
from viral.report.values import Part
from viral.serve.pages import render, span_of
from viral.serve.pages.shelf import Card, Shelf, shelf_of
from viral.serve.pages.user import parts_of
from viral.serve.problems import status_of
from viral.serve.security.access import asks, asks_much
from viral.serve.snapshot import Snapshot

router = APIRouter(prefix="/why", include_in_schema=False)
FOR_IT, AGAINST = 16, 8  # words that are shown
Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Sums:
    """The exact sums that a score is, as they are drawn; each has a scale of its own."""

    parts: tuple[Part, ...]
    span: Span
    origins: tuple[Part, ...]
    origin_span: Span
    evidence: tuple[tuple[float, Card], ...]
    evidence_span: Span
    others: float  # what the rest of the history adds

    @classmethod
    def of(cls, told: Explanation, shelf: Shelf) -> "Sums":
        parts, origins = parts_of(told.parts), parts_of(told.origins)
        evidence = tuple((one.share, shelf[one.item_id]) for one in told.evidence)
        named = tuple(Part("", share) for share, _ in evidence)
        return cls(
            parts, span_of(parts), origins, span_of(origins), evidence, span_of(named),
            told.history - sum(share for share, _ in evidence),
        )  # fmt: skip


@router.get("", dependencies=[Depends(asks)])
def why(request: Request, user: str, item: str) -> Response:
    """One score taken apart: a panel for htmx, else a page."""
    snapshot = _known(request, user, item)
    shelf = shelf_of(snapshot)
    told = explain(snapshot.bundle, user, item, fold_in=snapshot.fold_in, information=snapshot.information)
    template = "_why.html" if "hx-request" in request.headers else "why.html"
    information = parts_of(told.information)
    sums = Sums.of(told, shelf)
    return render(request, template, shelf=shelf, told=told, card=shelf[item], sums=sums, information=information)


@router.get("/words", dependencies=[Depends(asks_much)])
async def words(request: Request, user: str, item: str) -> Response:
    """Which words of the description the score hangs on; each is left out once, so it takes a moment."""
    snapshot = _known(request, user, item)

    def made() -> Response:
        found: list[WordEffect] = []
        fault, status = "", 200
        try:
            found = word_effects(snapshot.retriever, user, item)
        except ViralError as error:
            fault, status = f"{error.what}. {error.hint or ''}".strip(), status_of(error)
        against = [one for one in found[FOR_IT:] if one.effect < 0][-AGAINST:]
        shown = [*found[:FOR_IT], *against]
        template = "_words.html" if "hx-request" in request.headers else "words.html"
        given = {"user": user, "item": item, "fault": fault}
        page = render(request, template, words=shown, left_out=len(found) - len(shown), **given)
        page.status_code = status
        return page

    answer: Response = await request.app.state.work.long.run(made)
    return answer


def _known(request: Request, user: str, item: str) -> Snapshot:
    """The snapshot; ``UnknownIdError`` where it does not know both."""
    snapshot: Snapshot = request.app.state.live.current
    snapshot.known_user(user)
    snapshot.known_item(item)
    return snapshot
