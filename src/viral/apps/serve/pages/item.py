"""One item: what is known of it, what was said of its picture, what is like it, and who would want it."""

from typing import Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from viral.apps.serve.hot_reload import current_snapshot
from viral.apps.serve.pages.apply import state_of
from viral.apps.serve.pages.descriptions import Rights, block
from viral.apps.serve.pages.item_cards import Card, ItemCards, cards_of
from viral.apps.serve.pages.rendering import render
from viral.apps.serve.pages.user import Person, parts_of, person_of
from viral.apps.serve.security.access import asks
from viral.apps.serve.snapshot import Snapshot
from viral.base.language import _, marked
from viral.run.retrieval import Fan, Filters, Similar
from viral.run.retrieval.similarity import FUSED

router = APIRouter(include_in_schema=False)
NEIGHBOURS, FANS, TAKERS = 12, 9, 20
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


def liked(cards: ItemCards, found: list[Similar]) -> list[tuple[Similar, Card]]:
    """Items alike with their cards."""
    return [(one, cards[one.item_id]) for one in found]


def wanting(snapshot: Snapshot, cards: ItemCards, found: list[Fan]) -> list[tuple[Fan, Person]]:
    """Users with some of what they took."""
    return [(one, person_of(snapshot, cards, one.user_id)) for one in found]


def takers(snapshot: Snapshot, cards: ItemCards, item_id: str) -> list[Person]:
    """The first of those who took an item in training, as the log has them."""
    seen, users = snapshot.bundle.seen, snapshot.bundle.users.ids
    who = seen.users[seen.items == snapshot.bundle.items.index(item_id)][:TAKERS]
    return [person_of(snapshot, cards, users[user]) for user in who.tolist()]


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
        return {"measured": True, "information": (), "ways": [], "by": "", "alike": [], "fans": [], "takers": []}
    index, material = snapshot.bundle.items.index(card.item_id), snapshot.bundle.material
    there = [name for name, present in material.present.items() if bool(present[index])]
    by = by if by in there else FUSED
    filters = Filters(categories=[card.category]) if same and card.category in snapshot.categories else Filters()
    return {
        "measured": bool(snapshot.information),
        "information": parts_of(snapshot.information.get(card.item_id, {})),
        "ways": ways([FUSED, *there]),
        "by": by,
        "alike": liked(cards, snapshot.retriever.similar(card.item_id, NEIGHBOURS, by=by, filters=filters)),
        "fans": wanting(snapshot, cards, snapshot.retriever.fans(card.item_id, FANS)),
        "takers": takers(snapshot, cards, card.item_id),
    }
