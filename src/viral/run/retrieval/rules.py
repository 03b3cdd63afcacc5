"""A shop's rules over what is recommended: items pinned, raised, lowered, so many of a category, less popular ones.

They are read from a TOML file::

    [[pin]]                       # at this place, whoever asks
    item_id = "p0042"
    position = 1
    [[boost]]                     # raised by half a standard deviation of the person's scores
    categories = ["mug"]
    by = 0.5
    [[bury]]                      # lowered, by one standard deviation unless told
    item_ids = ["p0007"]
    [diversity]
    max_per_category = 3          # in one answer
    [popularity]
    penalty = 0.3                 # standard deviations that an item loses for each by which it is popular
"""

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from viral.base.errors import DataError, UsageError, nearest

MOST_BYTES, MOST_IDS, MOST_RULES = 1_000_000, 10_000, 1_000
LAST_POSITION, STRONGEST, MOST_PENALTY = 1_000, 100.0, 2.0
TARGETS = {"item_ids": "item", "categories": "category", "brands": "brand"}  # fields of a shift, and one of each
_EXAMPLES = "docs/serving.md shows each kind of rule"


@dataclass(frozen=True, slots=True)
class Pin:
    """An item with its place, from 1."""

    item_id: str
    position: int = 1


@dataclass(frozen=True, slots=True)
class Shift:
    """What raises or lowers the scores of items, in standard deviations of one person's scores."""

    by: float  # below 0 it lowers
    item_ids: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rules:
    """What a file of rules says; the same object is worked out for a bundle once."""

    pins: tuple[Pin, ...] = ()
    shifts: tuple[Shift, ...] = ()
    max_per_category: int | None = None
    less_popular: float = 0.0  # what being popular costs (:class:`viral.evaluation.exposure.LessPopular`)

    def __post_init__(self) -> None:
        if not 0 <= self.less_popular <= MOST_PENALTY:
            hint = f"0: by score alone, to {MOST_PENALTY:g}; 0.3 is a beginning"
            raise UsageError(f"a penalty of {self.less_popular:g} for popularity cannot be used", hint=hint)

    def __len__(self) -> int:
        return len(self.pins) + len(self.shifts) + (self.max_per_category is not None) + bool(self.less_popular)


def read_rules(file: Path) -> Rules:
    """The rules of a TOML file; ``DataError`` names the rule and the field that cannot be used."""
    where = str(file)
    try:
        data = file.read_bytes()
        if len(data) > MOST_BYTES:
            raise DataError(f"longer than {MOST_BYTES:,} bytes", where=where, hint="name categories, not items")
        document = tomllib.loads(data.decode("utf-8-sig"))
    except FileNotFoundError:
        raise DataError("no such file", where=where, hint=f"an empty file means no rules; {_EXAMPLES}") from None
    except UnicodeDecodeError:
        raise DataError("not text in UTF-8", where=where, hint="save it as UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError, OSError) as error:
        raise DataError(f"not a TOML file ({error})", where=where, hint=_EXAMPLES) from None
    return _rules(document, where)


def _rules(document: Mapping[str, Any], where: str) -> Rules:
    _only(document, ("pin", "boost", "bury", "diversity", "popularity"), where)
    pins = tuple(_pin(table, place) for table, place in _tables(document, "pin", where))
    shifts = [_shift(table, place, 1.0) for table, place in _tables(document, "boost", where)]
    shifts += [_shift(table, place, -1.0) for table, place in _tables(document, "bury", where)]
    twice = {one.item_id for row, one in enumerate(pins) if any(one.item_id == other.item_id for other in pins[:row])}
    if twice:
        raise DataError(f"item {min(twice)!r} is pinned twice", where=where, hint="keep one of the two")
    most = _most(document.get("diversity", {}), f"{where}, [diversity]")
    return Rules(pins, tuple(shifts), most, _penalty(document.get("popularity", {}), f"{where}, [popularity]"))


def _tables(document: Mapping[str, Any], kind: str, where: str) -> list[tuple[Mapping[str, Any], str]]:
    """Each table of a kind, and where it is."""
    found = document.get(kind, [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise DataError(f"{kind} is not a list of tables", where=where, hint=f"write [[{kind}]] above each rule")
    if len(found) > MOST_RULES:
        raise DataError(f"{len(found):,} rules of one kind", where=where, hint=f"at most {MOST_RULES:,}")
    return [(table, f"{where}, [[{kind}]] number {row}") for row, table in enumerate(found, start=1)]


def _pin(table: Mapping[str, Any], where: str) -> Pin:
    _only(table, ("item_id", "position"), where)
    position = table.get("position", 1)
    if isinstance(position, bool) or not isinstance(position, int) or not 1 <= position <= LAST_POSITION:
        hint = f"a whole number from 1 to {LAST_POSITION:,}"
        raise DataError(f"position = {short(position)} is no place of a list", where=where, hint=hint)
    return Pin(_words([table.get("item_id")], "item_id", where)[0], position)


def _shift(table: Mapping[str, Any], where: str, sign: float) -> Shift:
    _only(table, (*TARGETS, "by"), where)
    by = table.get("by", 1.0)
    if isinstance(by, bool) or not isinstance(by, int | float) or not (math.isfinite(by) and 0 < by <= STRONGEST):
        hint = f"a number above 0 and at most {STRONGEST:g}; [[boost]] raises by it, [[bury]] lowers by it"
        raise DataError(f"by = {short(by)} cannot be used", where=where, hint=hint)
    targets = {name: _words(table[name], name, where) for name in TARGETS if name in table}
    if not any(targets.values()):
        raise DataError("the rule is for no item", where=where, hint="give it item_ids, categories or brands")
    return Shift(sign * by, **targets)


def _most(table: Any, where: str) -> int | None:
    if not isinstance(table, dict):
        raise DataError("diversity is not a table", where=where, hint="[diversity] and below it max_per_category = 3")
    _only(table, ("max_per_category",), where)
    most = table.get("max_per_category")
    if most is not None and (isinstance(most, bool) or not isinstance(most, int) or most < 1):
        raise DataError(f"max_per_category = {short(most)} is no number of items", where=where, hint="from 1 up")
    return most


def _penalty(table: Any, where: str) -> float:
    if not isinstance(table, dict):
        raise DataError("popularity is not a table", where=where, hint="[popularity] and below it penalty = 0.3")
    _only(table, ("penalty",), where)
    found = table.get("penalty", 0.0)
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found <= MOST_PENALTY:
        raise DataError(f"penalty = {short(found)} cannot be used", where=where, hint=f"from 0 to {MOST_PENALTY:g}")
    return float(found)


def _words(found: Any, name: str, where: str) -> tuple[str, ...]:
    if not isinstance(found, list) or not all(isinstance(one, str) and one for one in found) or len(found) > MOST_IDS:
        quoted = 'item_id = "p0042"' if name == "item_id" else f'{name} = ["…", "…"]'
        raise DataError(f"{name} is not text in quotes", where=where, hint=f"{quoted}, at most {MOST_IDS:,}")
    return tuple(dict.fromkeys(found))


def _only(table: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    for name in table:
        if name not in known:
            raise DataError(f"unknown key {short(name)}", where=where, hint=nearest(name, known))


def short(value: Any) -> str:
    """A value as it is written, cut short."""
    written = repr(value)
    return written if len(written) <= 80 else written[:80] + " …"
