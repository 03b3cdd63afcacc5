"""Which items may be recommended: what is blocked by ids and categories before ranking, and by a predicate after it."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from viral.base.errors import DataError, UsageError, nearest
from viral.data.vocabulary import Vocabulary
from viral.run.bundle import Bundle

Predicate = Callable[[str], bool]
REMEMBERED = 32  # masks of filters; each is a byte an item


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Conditions that an item must meet, all of them; ids that the bundle does not know are without effect.

    ``in_stock`` is a set of ids, or a function of an id that is asked of the best items only, from the best one down,
    until enough are found: it may look into a warehouse. A retriever reads the collections of a ``Filters`` once: make
    a new one when the stock has changed.
    """

    categories: Collection[str] | None = None  # an item must be in one of them
    allow: Collection[str] | None = None  # nothing else is recommended
    deny: Collection[str] = ()
    deny_categories: Collection[str] = ()  # one that no item is in is without effect
    in_stock: Collection[str] | Predicate | None = None

    def __post_init__(self) -> None:
        for name in ("categories", "allow", "deny", "deny_categories", "in_stock"):
            if isinstance(getattr(self, name), str):
                raise UsageError(f"{name} is one word", where="filters", hint="give a collection of words")

    @property
    def predicate(self) -> Predicate | None:
        """What must be asked of each item."""
        return self.in_stock if callable(self.in_stock) else None

    def blocked(self, bundle: Bundle) -> Tensor | None:
        """Which items are not to be ranked, (I,) bool; None where all are."""
        sets = [self.allow, None if callable(self.in_stock) else self.in_stock]
        allowed = [_those(ids, bundle) for ids in sets if ids is not None]
        if self.categories is not None:
            allowed.append(_in_categories(bundle, self.categories))
        if not allowed and not self.deny and not self.deny_categories:
            return None
        blocked = _those(self.deny, bundle)
        if self.deny_categories:
            blocked |= _of(bundle.material.columns.get("category", [""] * len(bundle.items)), self.deny_categories)
        for mask in allowed:
            blocked |= ~mask
        return blocked


def read_ids(file: Path) -> frozenset[str]:
    """The item ids of a text file; ``DataError`` where it is no such file."""
    try:
        return frozenset(ids_of_text(file.read_bytes(), str(file), "item"))
    except FileNotFoundError:
        raise DataError("no such file", where=str(file), hint="a text file with one item id a line") from None


def ids_of_text(text: bytes, where: str, what: str) -> list[str]:
    """The ids of a text, one a line and as it stands, each once; ``what`` they are of is said where it is no text."""
    ids: dict[str, None] = {}
    for number, line in enumerate(text.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        try:
            ids[line.removesuffix(b"\r").decode("utf-8")] = None
        except UnicodeDecodeError:
            hint = f"save it as UTF-8: one {what} id a line"
            raise DataError("not text in UTF-8", where=f"{where}, line {number}", hint=hint) from None
    return [one for one in ids if one]


def check_known(ids: Collection[str], items: Vocabulary, file: Path) -> None:
    """Raise ``DataError`` where there are ids and not one is an item's: the file is of something else."""
    if ids and not any(item_id in items for item_id in ids):
        what = f"none of its {len(ids):,} ids is an item of the run (for example {min(ids)[:80]!r})"
        raise DataError(what, where=str(file), hint="one item id a line, as in the catalogue, and no other column")


class Masks:
    """What filters block in one bundle, remembered for the filters that were used last."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._known: OrderedDict[int, tuple[Filters, Tensor | None]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, filters: Filters) -> Tensor | None:
        """``filters.blocked``, not to be changed."""
        with self._lock:
            if id(filters) not in self._known:  # which keeps the object, so that its id is not given away
                self._known[id(filters)] = filters, filters.blocked(self._bundle)
                if len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)
            self._known.move_to_end(id(filters))
            return self._known[id(filters)][1]


def _those(ids: Collection[str], bundle: Bundle) -> Tensor:
    mask = torch.zeros(len(bundle.items), dtype=torch.bool)
    mask[[bundle.items.index(item_id) for item_id in ids if item_id in bundle.items]] = True
    return mask


def _in_categories(bundle: Bundle, categories: Collection[str]) -> Tensor:
    of_items = bundle.material.columns.get("category", ())
    known = {category for category in of_items if category}
    if not known:
        raise DataError("the bundle knows no categories", hint="train again on a data set whose items have categories")
    for category in categories:
        if category not in known:
            raise UsageError(f"no item is in category {category!r}", where="filters", hint=nearest(category, known))
    return _of(of_items, categories)


def _of(column: Collection[str], words: Collection[str]) -> Tensor:
    wanted = set(words)
    return torch.tensor([word in wanted for word in column], dtype=torch.bool)
