"""Sections of pictures: the contact sheet, users with their recommendations, and explanations of a score."""

from collections import Counter
from dataclasses import dataclass

from viral.lab.report.values import Headed, Part, ShownItem, check_sum

MOST_FILTERS = 12  # of a contact sheet; the style sheet knows as many


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """One card of the contact sheet. ``problem`` is said in the place of an absent description.

    ``tags`` (a status, "edited by hand", …) are shown, and are what a sheet can be filtered by.
    """

    thing: ShownItem
    description: str
    problem: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactSheet(Headed):
    """Pictures with what a describer said of them; ``describer`` is a name in words, with what it is not."""

    cards: tuple[Described, ...]
    describer: str
    prompt: str
    caption: str = ""

    @property
    def filters(self) -> tuple[tuple[str, int], ...]:
        """Each tag with its number of cards, in the order of the cards; at most ``MOST_FILTERS``."""
        counted = Counter(tag for card in self.cards for tag in card.tags)
        return tuple(counted.items())[:MOST_FILTERS]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecommendedItem:
    """One recommendation; ``hit``: the user did choose it, in the test set. ``parts`` add up to ``score``."""

    thing: ShownItem
    rank: int
    score: float
    hit: bool = False
    parts: tuple[Part, ...] = ()
    why: str = ""

    def __post_init__(self) -> None:
        check_sum(self.parts, self.score, f"recommendation {self.thing.item_id!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelList:
    """What one model recommends to one user; a highlighted one gets large cards with parts and reasons."""

    model: str
    recommended: tuple[RecommendedItem, ...]
    highlight: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownUser:
    """One user: their history, and what each model recommends. ``name`` heads it (an id, or words)."""

    name: str
    history: tuple[ShownItem, ...]
    lists: tuple[ModelList, ...]
    history_total: int | None = None  # when ``history`` shows only some
    held_out: int | None = None  # how many test items there are to be hit
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Users(Headed):
    """A few users, from history to recommendations."""

    users: tuple[ShownUser, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedScore:
    """Why one score is what it is; the parts add up to it."""

    user: str
    thing: ShownItem
    score: float
    parts: tuple[Part, ...]
    sentences: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_sum(self.parts, self.score, f"explanation of {self.thing.item_id!r} for {self.user!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanations(Headed):
    """Some scores taken apart."""

    explanations: tuple[ExplainedScore, ...]
