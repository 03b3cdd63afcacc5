"""Items named in a row, as people do: "“Simpson top” and two other black tops", in the language at work."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from viral.base.language import ENGLISH, _, current, n_
from viral.base.safe_text import shown

TITLE, KIND = 60, 40  # characters of a title, and of a category or colour that can stand in a sentence
END, LONGEST = 20, 1_000  # characters of a title's end, where titles begin alike; and of a title that is looked at
NAMED = 3  # items by their titles where they are not of one kind
COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_PATH = re.compile(r"\s*[>|»]\s*|\s+/\s+|::")
_PLAIN_WORD = re.compile(r"[A-Z][a-z]+")
_WORDS = re.compile(r"[A-Za-z][A-Za-z'’ &-]*")
_QUOTES = str.maketrans("“”", "‘’")
_NAMES = (
    "action adventure animation art baby beauty bedding clothing coffee comedy crime drama electronics equipment "
    "fantasy food footwear furniture horror hosiery jewellery jewelry lingerie luggage makeup men music mystery "
    "romance skincare sport stationery tea women"
)
_MASS = frozenset(_NAMES.split())  # not to be counted in English: "two other items in furniture"


@dataclass(frozen=True, slots=True)
class NamedItem:
    """An item as a sentence may name it."""

    item_id: str
    title: str = ""
    category: str = ""
    colour: str = ""

    @property
    def name(self) -> str:
        """The title on one line and cut short, in quotes that it cannot close; the id where there is none."""
        return f"“{(shown(self.title, TITLE) or shown(self.item_id, TITLE)).translate(_QUOTES)}”"


def in_a_row(items: Sequence[NamedItem]) -> str:
    """The first by its title, and the others by what they have in common, where that is a kind of item."""
    first, others = items[0], items[1:]
    if len(others) > 1 and (kind := _kind_of(others)):
        return _joined([first.name, _counted(len(others), kind, others=kind == _kind_of(items))])
    names = _told_apart(items)
    if len(names) == 1 < len(items):
        return _("%(count)s items called %(name)s", count=_count(len(items)), name=names[0])
    if len(names) > NAMED:
        return _joined([*names[: NAMED - 1], _more(len(items) - NAMED + 1)])
    return _joined(names)


def _told_apart(items: Sequence[NamedItem]) -> list[str]:
    """Each name once; titles that begin alike and end otherwise are cut in the middle."""
    names = {item.title or item.item_id: item.name for item in items}
    twice = {name for name, times in Counter(names.values()).items() if times > 1}
    return list(dict.fromkeys(_by_both_ends(text) if name in twice else name for text, name in names.items()))


def _by_both_ends(text: str) -> str:
    end = shown(text, LONGEST)[-END:]
    end = end[max(0, end.find(" ")) :]  # whole words, where there are words
    return f"“{(shown(text, TITLE - END) + end).translate(_QUOTES)}”"


def _joined(names: Sequence[str]) -> str:
    """A, B and C."""
    if len(names) == 1:
        return names[0]
    return _(", ").join(names[:-1]) + _(" and ") + names[-1]


def _more(number: int) -> str:
    return n_("%(count)s more", "%(count)s more", number, count=_count(number))


def _counted(number: int, kind: tuple[str, str], *, others: bool) -> str:
    """Two black tops, or two other black tops."""
    named, count = _plural(*kind), _count(number)
    if others:
        return _("%(count)s other %(kind)s", count=count, kind=named)
    return _("%(count)s %(kind)s", count=count, kind=named)


def _count(number: int) -> str:
    return COUNTS[number] if current() == ENGLISH and number < len(COUNTS) else str(number)


def _kind_of(items: Sequence[NamedItem]) -> tuple[str, str] | None:
    """The category that all have, with the colour if they share that; None where there is none to be said."""
    categories = {item.category.strip() for item in items}
    category = _PATH.split(categories.pop())[-1].strip() if len(categories) == 1 else ""
    if not category or len(category) > KIND or category != shown(category):
        return None
    colours = {item.colour.strip() for item in items}
    colour = colours.pop() if len(colours) == 1 else ""
    return category, colour if len(colour) <= KIND and colour == shown(colour) else ""


def _plural(category: str, colour: str) -> str:
    """The kind in the plural, "black tops", as far as English is known here; in other languages as it is."""
    if current() != ENGLISH or not _WORDS.fullmatch(category):
        return f"{colour} {category}".strip()
    words = [word.lower() if _PLAIN_WORD.fullmatch(word) else word for word in category.split()]
    shade = colour.lower() if _WORDS.fullmatch(colour) else colour
    last = words[-1]
    if last.endswith("wear") or last.lower() in _MASS:
        return f"{shade} items in {' '.join(words)}".strip()
    return " ".join([*([shade] if shade else []), *words[:-1], _plural_of(last)])


def _plural_of(word: str) -> str:
    if word.endswith(("ss", "x", "ch", "sh", "z")):
        return word + "es"
    if word.endswith("s"):
        return word
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    return word + "s"
