"""Why an item is recommended to a user: in a sentence, by the items behind it, and with the exact sums as details."""

import math
from dataclasses import dataclass

from fastapi import APIRouter, Depends, Request
from markupsafe import Markup
from starlette.responses import Response

from viral.apps.serve.hot_reload import current_snapshot
from viral.apps.serve.pages.item_cards import Card, ItemCards, cards_of
from viral.apps.serve.pages.rendering import is_partial, render, span_of
from viral.apps.serve.pages.user import parts_of
from viral.apps.serve.problems import status_of
from viral.apps.serve.security.access import asks, asks_much
from viral.apps.serve.snapshot import Snapshot
from viral.apps.serve.thread_pools import pools
from viral.base.errors import ViralError
from viral.base.language import gettext, marked
from viral.lab.report.figures.svg import element
from viral.lab.report.values import Part
from viral.run.explain import Explanation, WordEffect, because, explain, word_effects
from viral.run.explain.sentence import impersonal

router = APIRouter(prefix="/why", include_in_schema=False)
FOR_IT, AGAINST = 16, 8  # words that are shown
PLACES = 6  # digits of a rank
LEAST = 0.0005  # of a sum: less is not worth a line
OTHERS, BEYOND = marked("everything else in the history"), marked("their preferences as a whole")
Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Share:
    """One piece of the score: an item of the history, or what is not of single items; with its share of the score."""

    name: str
    card: Card | None
    value: float
    of_score: float | None  # None where the score is not above zero


@dataclass(frozen=True, slots=True)
class Shares:
    """The score as one bar: what speaks for it in its order, and beside it what speaks against it."""

    pieces: tuple[Share, ...]
    against: tuple[Share, ...]

    @classmethod
    def of(cls, told: Explanation, cards: ItemCards) -> "Shares":
        named = sum(one.share for one in told.evidence)
        rest = {OTHERS: told.history - named, BEYOND: told.beyond}
        total = told.score if told.score > 0 else None
        pieces = [Share("", cards[one.item_id], one.share, total and one.share / total) for one in told.evidence]
        pieces += [Share(gettext(name), None, value, total and value / total) for name, value in rest.items()]
        worth = [one for one in pieces if abs(one.value) >= LEAST]
        return cls(tuple(one for one in worth if one.value > 0), tuple(one for one in worth if one.value < 0))

    @property
    def bar(self) -> Markup:
        """The pieces side by side over the full width; their names and shares are in the list beside it."""
        total, start, shapes = math.fsum(one.value for one in self.pieces), 0.0, []
        for place, one in enumerate(self.pieces, start=1):
            width = 100 * one.value / total
            shapes.append(
                element("rect", class_=one_tone(one, place), x=f"{start:.3f}%", width=f"{width:.3f}%", height=22)
            )
            start += width
        return element("svg", *shapes, class_="stack shares", height=22, aria_hidden="true")


def one_tone(share: Share, place: int) -> str:
    """The class of a piece in the style sheet: items are told apart by strength, the rest is grey."""
    return f"piece piece-{place}" if share.card is not None else "piece"


@dataclass(frozen=True, slots=True)
class Sums:
    """The exact sums that a score is, as they are drawn; each has a scale of its own."""

    parts: tuple[Part, ...]
    span: Span
    origins: tuple[Part, ...]
    origin_span: Span

    @classmethod
    def of(cls, told: Explanation) -> "Sums":
        parts, origins = parts_of(told.parts), parts_of(told.origins)
        return cls(parts, span_of(parts), origins, span_of(origins))


@router.get("", dependencies=[Depends(asks)])
def why(request: Request, user: str, item: str, rank: str = "") -> Response:
    """One recommendation explained: a panel for htmx, else a page; ``rank`` is its place in the list it came from."""
    snapshot = _known(request, user, item)
    cards = cards_of(snapshot)
    told = explain(snapshot.bundle, user, item, fold_in=snapshot.fold_in, information=snapshot.information)
    template = "_why.html" if is_partial(request) else "why.html"
    information = parts_of(told.information)
    place = (int(rank) if rank.isdecimal() and len(rank) <= PLACES else 0) or told.rank
    shares = None if impersonal(snapshot.bundle.scorer) else Shares.of(told, cards)
    return render(
        request, template, cards=cards, told=told, card=cards[item], sums=Sums.of(told), shares=shares, place=place,
        because=because(told, snapshot.bundle), information=information, tone_of=one_tone,
    )  # fmt: skip


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
        template = "_words.html" if is_partial(request) else "words.html"
        return render(
            request, template, code=status, words=shown, left_out=len(found) - len(shown), user=user, item=item,
            fault=fault,
        )  # fmt: skip

    return await pools(request).long.run(made)


def _known(request: Request, user: str, item: str) -> Snapshot:
    """The snapshot; ``UnknownIdError`` where it does not know both."""
    snapshot = current_snapshot(request)
    snapshot.known_user(user)
    snapshot.known_item(item)
    return snapshot
