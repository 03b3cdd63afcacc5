"""One item: what is known of it, what was said of its picture, what is like it, and who would want it."""

from typing import Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from viral.apps.serve.hot_reload import current_snapshot
from viral.apps.serve.pages.apply_edits import state_of
from viral.apps.serve.pages.descriptions import Rights, block
from viral.apps.serve.pages.item_cards import Card, ItemCards, cards_of
from viral.apps.serve.pages.rendering import render
from viral.apps.serve.pages.user import UserCard, parts_of, user_card
from viral.apps.serve.security.access import asks
from viral.apps.serve.snapshot import Snapshot
from viral.base.language import _, marked
from viral.run.retrieval import AudienceUser, Filters, Similar
from viral.run.retrieval.similarity import FUSED

router = APIRouter(include_in_schema=False)
NEIGHBOURS, AUDIENCE, CHOSEN_BY = 12, 9, 20
SAMENESS = {
    FUSED: marked("to the model"),
    "image": marked("by picture"),
    "description": marked("by what was seen"),
    "text": marked("by words"),
    "title": marked("by title"),
}


def ways(names: list[str]) -> list[tuple[str, str]]:
    """Modalities with what they are called, the model's own first."""
    known = [name for name in SAMENESS if name in names]
    return [
        (name, SAMENESS.get(name) or _("by %(modality)s", modality=name))
        for name in [*known, *(n for n in names if n not in SAMENESS)]
    ]


def with_cards(cards: ItemCards, found: list[Similar]) -> list[tuple[Similar, Card]]:
    """Items alike with their cards."""
    return [(one, cards[one.item_id]) for one in found]


def audience_cards(
    snapshot: Snapshot, cards: ItemCards, found: list[AudienceUser]
) -> list[tuple[AudienceUser, UserCard]]:
    """Users who would want it, each with the first items of their history."""
    return [(one, user_card(snapshot, cards, one.user_id)) for one in found]


def chosen_by(snapshot: Snapshot, cards: ItemCards, item_id: str) -> list[UserCard]:
    """The first of the users who chose an item in training, as the log has them."""
    seen, users = snapshot.bundle.seen, snapshot.bundle.users.ids
    who = seen.users[seen.items == snapshot.bundle.items.index(item_id)][:CHOSEN_BY]
    return [user_card(snapshot, cards, users[user]) for user in who.tolist()]


@router.get("/items/{item_id:path}", dependencies=[Depends(asks)])
def item(request: Request, item_id: str, by: str = FUSED, same: bool = False) -> Response:
    """The page of one item of the data set or the bundle."""
    snapshot = current_snapshot(request)
    cards = cards_of(snapshot)
    card = cards[item_id]
    rights = Rights.of(request, cards)
    context: dict[str, Any] = {"cards": cards, "card": card, "rights": rights, "said": block(card, rights, whole=True)}
    context |= {"apply": state_of(request, cards), "same": same and bool(card.category)}
    return render(request, "item.html", **context, **_trained(snapshot, cards, card, by, same))


def _trained(snapshot: Snapshot, cards: ItemCards, card: Card, by: str, same: bool) -> dict[str, Any]:
    """What only the model can tell; ``same``: of the items alike, those of its category."""
    if not card.trained:
        return {"measured": True, "information": (), "ways": [], "by": "", "alike": [], "audience": [], "chosen_by": []}
    index, material = snapshot.bundle.items.index(card.item_id), snapshot.bundle.material
    there = [name for name, present in material.present.items() if bool(present[index])]
    by = by if by in there else FUSED
    filters = Filters(categories=[card.category]) if same and card.category in snapshot.categories else Filters()
    return {
        "measured": bool(snapshot.information),
        "information": parts_of(snapshot.information.get(card.item_id, {})),
        "ways": ways([FUSED, *there]),
        "by": by,
        "alike": with_cards(cards, snapshot.retriever.similar(card.item_id, NEIGHBOURS, by=by, filters=filters)),
        "audience": audience_cards(snapshot, cards, snapshot.retriever.audience(card.item_id, AUDIENCE)),
        "chosen_by": chosen_by(snapshot, cards, card.item_id),
    }
