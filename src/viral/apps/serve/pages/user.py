"""Users: who there is, the history of each, and what is recommended to them."""

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from viral.apps.serve.hot_reload import current_snapshot
from viral.apps.serve.pages.item_cards import Card, ItemCards, cards_of
from viral.apps.serve.pages.rendering import Page, render
from viral.apps.serve.security.access import asks
from viral.apps.serve.snapshot import Snapshot
from viral.apps.serve.watched_files import rules_of
from viral.base.language import marked
from viral.lab.report.figures.part_bars import part_span
from viral.lab.report.values import Part
from viral.run.retrieval import Filters, Recommendation

router = APIRouter(include_in_schema=False)
SIZE, PICTURES = 36, 5  # users of a page, and pictures of each
LISTED, HISTORY = 24, 60  # recommendations, and items of a page of the history
VARIETIES = {"": 0.0, "some": 0.3, "much": 0.7}  # of the MMR's weight
TOLD = {"": marked("By score alone"), "some": marked("Some variety"), "much": marked("Much variety")}


@dataclass(frozen=True, slots=True)
class UserCard:
    """A user with the first items of their history."""

    user_id: str
    interactions: int
    cards: tuple[Card, ...]


def user_card(snapshot: Snapshot, cards: ItemCards, user_id: str) -> UserCard:
    """A user and the first items of their history."""
    history = snapshot.retriever.history(user_id)
    return UserCard(user_id, len(history), tuple(cards[item_id] for item_id, _ in history[:PICTURES]))


def parts_of(parts: Mapping[str, float]) -> tuple[Part, ...]:
    """The parts of a score as they are drawn."""
    return tuple(Part(name.replace("_", " "), value) for name, value in parts.items())


@router.get("/users", dependencies=[Depends(asks)])
def people(request: Request, q: str = "", page: str = "1") -> Response:
    """Users whose id has the words in it, in pages."""
    snapshot = current_snapshot(request)
    cards, wanted = cards_of(snapshot), q[:200].strip().casefold()
    found = Page.of([one for one in snapshot.bundle.users.ids if wanted in one.casefold()], page, SIZE)
    persons = [user_card(snapshot, cards, user_id) for user_id in found.rows]
    return render(request, "users.html", cards=cards, given={"q": q[:200]}, found=found, persons=persons)


@router.get("/users/{user_id:path}", dependencies=[Depends(asks)])
def person(request: Request, user_id: str, category: str = "", variety: str = "", page: str = "1") -> Response:
    """A user's history, and the best items for them."""
    snapshot = current_snapshot(request)
    snapshot.known_user(user_id)
    cards = cards_of(snapshot)
    category = category if category in snapshot.categories else ""
    variety = variety if variety in VARIETIES else ""
    filters = Filters(categories=[category]) if category else Filters()
    found = snapshot.retriever.rank(
        snapshot.retriever.profile(user_id), LISTED, filters=filters, diversity=VARIETIES[variety],
        rules=rules_of(request),
    )  # fmt: skip
    parts = [parts_of(one.parts) for one in found]
    history = Page.of([item_id for item_id, _ in snapshot.retriever.history(user_id)], page, HISTORY)
    return render(
        request, "user.html", cards=cards, user_id=user_id, history=history,
        history_cards=[cards[item_id] for item_id in history.rows], found=_rows(found, cards, parts),
        span=part_span(parts),
        names=list(dict.fromkeys(part.name for split in parts for part in split)), varieties=TOLD,
        given={"category": category, "variety": variety, "page": history.number},
    )  # fmt: skip


def _rows(
    found: list[Recommendation], cards: ItemCards, parts: list[tuple[Part, ...]]
) -> list[tuple[Recommendation, Card, tuple[Part, ...]]]:
    return [(one, cards[one.item_id], split) for one, split in zip(found, parts, strict=True)]
