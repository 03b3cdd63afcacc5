"""Every item with its picture, what was said of it, and by whom."""

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from viral.apps.serve.hot_reload import current_snapshot
from viral.apps.serve.pages.apply_edits import state_of
from viral.apps.serve.pages.descriptions import Rights, block
from viral.apps.serve.pages.item_cards import EDITED, FLAGGED, SORTS, UNTRAINED, cards_of
from viral.apps.serve.pages.rendering import Page, render
from viral.apps.serve.security.access import asks
from viral.base.language import marked

router = APIRouter(include_in_schema=False)
SIZE = 60  # cards of a page
LABELS = {
    "done": marked("described"),
    EDITED: marked("by hand"),
    FLAGGED: marked("conspicuous"),
    "refused": marked("refused"),
    "failed": marked("failed"),
    "quarantined": marked("given up"),
    "missing picture": marked("no picture"),
    "unreadable": marked("unreadable picture"),
    "pending": marked("not described"),
    UNTRAINED: marked("new since training"),
}


@router.get("/gallery", dependencies=[Depends(asks)])
def gallery(
    request: Request, q: str = "", status: str = "", category: str = "", sort: str = "", page: str = "1"
) -> Response:
    """One page of the cards that fit; a status, a category or an order that there is not is as good as none."""
    snapshot = current_snapshot(request)
    cards = cards_of(snapshot)
    status = status if status in LABELS else ""
    category = category if category in cards.categories else ""
    given = {"q": q[:200], "status": status, "category": category, "sort": sort if sort in SORTS else ""}
    found = Page.of(cards.find(given["q"], status, category, given["sort"]), page, SIZE)
    labels = [(name, told, cards.labels.get(name, 0)) for name, told in LABELS.items()]
    rights = Rights.of(request, cards)
    return render(
        request, "gallery.html", cards=cards, given=given, found=found, rights=rights, titles=LABELS,
        labels=[label for label in labels if label[2] or label[0] == status],
        blocks=[block(card, rights) for card in found.rows], apply=state_of(request, cards),
    )  # fmt: skip
