"""One item as the pages show it: what the catalogue has of it, what was said of its picture, what training knows."""

from dataclasses import dataclass
from pathlib import Path

from viral.base.language import marked
from viral.data.catalog import Item
from viral.enrich import Description

EDITED, FLAGGED, UNTRAINED = "edited", "conspicuous", "untrained"
PRICE = "price"
DETAILS = (marked("category"), marked("colour"), marked("brand"), marked("price"))


@dataclass(frozen=True, slots=True)
class Card:
    """One item as a page shows it."""

    item_id: str
    title: str
    text: str
    category: str
    image: Path | None
    said: Description
    taken: int  # how often in training
    trained: bool  # the bundle knows the item
    named: tuple[tuple[str, str], ...] = ()  # of ``DETAILS``, those that the catalogue has, with their values

    @property
    def details(self) -> tuple[str, ...]:
        """What the catalogue knows of it beside title, text and price."""
        return tuple(value for name, value in self.named if name != PRICE)

    @property
    def price(self) -> str:
        """As the catalogue writes it; "" is unknown."""
        return next((value for name, value in self.named if name == PRICE), "")

    @property
    def labels(self) -> tuple[str, ...]:
        """What the gallery can be narrowed to: the status, and more."""
        more = {EDITED: self.said.edited, FLAGGED: bool(self.said.flags), UNTRAINED: not self.trained}
        return (self.said.status, *(name for name, so in more.items() if so))


def named_of(item: Item) -> tuple[tuple[str, str], ...]:
    """What the catalogue has of ``DETAILS``."""
    return tuple((name, value) for name in DETAILS if (value := getattr(item, name)))


def words_of(said: Description) -> str:
    """The text that is encoded: nothing of a description that was not made."""
    return said.text if said.edited or said.status == "done" else ""
