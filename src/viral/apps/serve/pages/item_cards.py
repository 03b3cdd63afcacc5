"""The catalogue as the pages show it: a card an item, with what was said of its picture, by whom, and who changed it.

Kept for a snapshot until a file of descriptions changes. Without a data set the cards are what the bundle knows.
"""

import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from statistics import median

from viral.apps.serve.snapshot import Snapshot, item_view, unknown_id
from viral.base.language import marked
from viral.data.catalog import Catalog
from viral.data.dataset import Dataset
from viral.data.descriptions import DESCRIPTIONS_FOLDER, overlaid
from viral.data.edits import EDITS_FILE, HUMAN
from viral.data.fetch import catalog_with_fetched
from viral.data.pictures import PictureError, read_bytes, read_header
from viral.enrich import Description, Descriptions, all_descriptions, load_edits
from viral.run.bundle import Bundle

SAMPLED = 15  # pictures by which the shape of all is judged
SORTS = ("", "taken", "title")
Stamp = tuple[tuple[str, int, int], ...]
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
    interactions: int  # how many in training
    trained: bool  # the bundle knows the item
    named: tuple[tuple[str, str], ...] = ()  # of ``DETAILS``, those that the catalogue has, with their values

    @property
    def details(self) -> tuple[str, ...]:
        """What the catalogue knows of it beside title, text and price."""
        return tuple(value for name, value in self.named if name != PRICE)

    @property
    def price(self) -> str:
        """As the catalogue writes it; "" is unknown."""
        return dict(self.named).get(PRICE, "")

    @property
    def encoded(self) -> str:
        """The description as it is encoded: nothing of one that was not made."""
        return self.said.text if self.said.edited or self.said.status == "done" else ""

    @property
    def labels(self) -> tuple[str, ...]:
        """What the gallery can be narrowed to: the status, and more."""
        more = {EDITED: self.said.edited, FLAGGED: bool(self.said.flags), UNTRAINED: not self.trained}
        return (self.said.status, *(name for name, so in more.items() if so))


@dataclass(frozen=True)
class ItemCards:
    """All cards in the catalogue's order, and the set of descriptions that they show.

    Not the snapshot: that keeps the cards (``Snapshot.kept``).
    """

    all: tuple[Card, ...]
    plain: tuple[Card, ...]  # the same without what humans wrote
    bundle: Bundle
    catalog: Catalog | None
    dataset: Dataset | None
    described: Descriptions | None = None  # by a describer
    stamp: Stamp = ()

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._places

    def __getitem__(self, item_id: str) -> Card:
        """The card; ``UnknownIdError`` where neither data set nor bundle knows the item."""
        if item_id in self._places:
            return self.all[self._places[item_id]]
        if item_id in self.bundle.items:  # trained on, and gone from the catalogue since
            return _of_bundle(self.bundle, self.catalog, [self.bundle.items.index(item_id)])[0]
        raise unknown_id("item", item_id)

    @cached_property
    def _places(self) -> Mapping[str, int]:
        return {card.item_id: place for place, card in enumerate(self.all)}

    @cached_property
    def _haystacks(self) -> Sequence[str]:
        return [f"{c.title}\n{c.item_id}\n{c.said.text}\n{c.text}".casefold() for c in self.all]

    @cached_property
    def labels(self) -> Mapping[str, int]:
        """How many cards have each label."""
        return Counter(label for card in self.all for label in card.labels)

    @cached_property
    def categories(self) -> Mapping[str, int]:
        """How many cards are in each category, the largest first."""
        return dict(Counter(card.category for card in self.all if card.category).most_common())

    def find(self, words: str = "", label: str = "", category: str = "", sort: str = "") -> list[Card]:
        """The cards with every word in title, id, description or text, of a label and a category."""
        wanted = words.casefold().split()[:16]
        found = [
            card
            for card, haystack in zip(self.all, self._haystacks, strict=True)
            if category in ("", card.category)
            and (not label or label in card.labels)
            and all(word in haystack for word in wanted)
        ]
        if sort == "taken":
            found.sort(key=lambda card: -card.interactions)
        elif sort == "title":
            found.sort(key=lambda card: card.title[:200].casefold())
        return found

    @cached_property
    def waiting(self) -> tuple[str, ...]:
        """The items whose words the model has read otherwise: they count after the next update."""
        made, read = self.bundle.material.described, self.bundle.material.columns.get("description")
        if made is None or read is None:
            return ()
        asked = (self.described.describer.partition("/")[0], self.described.prompt) if self.described else ()
        same = asked == (made.describer, made.prompt)  # else only what humans wrote can be compared
        by_item = dict(zip(self.bundle.items.ids, read, strict=True))
        return tuple(
            card.item_id
            for card in self.all
            if card.trained and (same or card.said.edited) and card.encoded != by_item[card.item_id]
        )

    @cached_property
    def shape(self) -> str:
        """Whether most pictures are portrait, landscape or square: what the frames around them are."""
        step = max(1, len(self.all) // SAMPLED)
        ratios = [ratio for card in self.all[::step][:SAMPLED] if (ratio := _ratio(card.image)) is not None]
        middle = median(ratios) if ratios else 1.0
        return "portrait" if middle < 0.85 else "landscape" if middle > 1.18 else "square"


class CardsOfSnapshot:
    """The cards of one snapshot, put up anew when a file of descriptions has changed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: ItemCards | None = None

    def of(self, snapshot: Snapshot) -> ItemCards:
        """The cards as the files are now."""
        stamp = _stamp(snapshot.dataset)
        with self._lock:
            made = self._made
            if made is None or _unedited(made.stamp) != _unedited(stamp):
                made = self._made = _made(snapshot, stamp)
            elif made.stamp != stamp:  # an edit: nothing else is read again
                made = self._made = replace(made, all=_edited(made.plain, snapshot.dataset), stamp=stamp)
            return made


def cards_of(snapshot: Snapshot) -> ItemCards:
    """The snapshot's cards as the files are now."""
    return snapshot.kept(CardsOfSnapshot).of(snapshot)


def _made(snapshot: Snapshot, stamp: Stamp) -> ItemCards:
    """Read the descriptions and make the cards; raises ``DataError`` where a file of them is damaged."""
    bundle, catalog, dataset = snapshot.bundle, snapshot.catalog, snapshot.dataset
    if dataset is None:
        cards = tuple(_of_bundle(bundle, catalog, range(len(bundle.items))))
        return ItemCards(cards, cards, bundle, catalog, None)
    described = chosen_descriptions(bundle, dataset)
    rows = {row.item_id: row for row in described.rows} if described is not None else {}
    known = dict(zip(bundle.items.ids, bundle.seen.item_degrees().tolist(), strict=True))
    plain = tuple(
        Card(
            item.id, item.title, item.text, item.category or "", item.image,
            rows.get(item.id) or Description(item.id, "", HUMAN, HUMAN, "", "pending"),
            known.get(item.id, 0), item.id in known,
            tuple((name, value) for name in DETAILS if (value := getattr(item, name))),
        )
        for item in catalog_with_fetched(dataset)
    )  # fmt: skip
    return ItemCards(_edited(plain, dataset), plain, bundle, catalog, dataset, described, stamp)


def _edited(plain: tuple[Card, ...], dataset: Dataset | None) -> tuple[Card, ...]:
    """The cards with the words of humans where there are some."""
    edits = load_edits(dataset) if dataset is not None else {}
    return tuple(
        replace(card, said=overlaid((card.said,), edits)[0]) if card.item_id in edits else card for card in plain
    )


def chosen_descriptions(bundle: Bundle, dataset: Dataset) -> Descriptions | None:
    """The set that the bundle's features encode; else one by the prompt with titles, or the first; None without any."""
    there = all_descriptions(dataset)
    made = bundle.material.described
    wanted = (made.describer, made.prompt) if made is not None else ()
    fitting = [one for one in there if (one.describer.partition("/")[0], one.prompt) == wanted]
    titled = [one for one in there if one.prompt == "title"]
    return next(iter([*fitting, *titled, *there]), None)


def _of_bundle(bundle: Bundle, catalog: Catalog | None, indices: Iterable[int]) -> list[Card]:
    """Cards of what the bundle alone knows."""
    interactions, columns = bundle.seen.item_degrees().tolist(), bundle.material.columns
    made = bundle.material.described
    name, prompt = (f"{made.describer}/{made.revision}", made.prompt) if made is not None else ("", "")
    cards = []
    for index in indices:
        view = item_view(bundle, catalog, index)
        said = Description(view.id, view.description, name, prompt, "", "done" if view.description else "pending")
        named = tuple((name, columns[name][index]) for name in DETAILS if name in columns and columns[name][index])
        cards.append(Card(view.id, view.title, view.text, view.category, None, said, interactions[index], True, named))
    return cards


def _stamp(dataset: Dataset | None) -> Stamp:
    """What changes with the files of descriptions."""
    if dataset is None:
        return ()
    folder = dataset.path / DESCRIPTIONS_FOLDER
    files = [path for path in folder.iterdir() if not path.name.startswith(".")] if folder.is_dir() else []
    return tuple(sorted((path.name, path.stat().st_mtime_ns, path.stat().st_ino) for path in files))


def _unedited(stamp: Stamp) -> Stamp:
    return tuple(one for one in stamp if one[0] != EDITS_FILE.name)


def _ratio(image: Path | None) -> float | None:
    try:
        header = read_header(read_bytes(image)) if image is not None else None
    except PictureError:
        return None
    return header.width / header.height if header is not None else None
