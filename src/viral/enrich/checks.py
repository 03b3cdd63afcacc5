"""What can be seen of a description without its picture: faults that are counted and shown."""

import math
import re
from collections.abc import Sequence

from viral.data.description import Flag
from viral.enrich.base import Prompt

LENGTHS = {"en": (5, 150), "zh": (8, 300), "": (3, 300)}  # in units (see ``units``) of what is asked for: 2–3 sentences
OWN_SHARE = 0.5  # of the units, in the script of the prompt's language
LEAST_UNITS = 4  # below which a text has no language
LOOP_TIMES, LOOP_UNITS, LONGEST_LOOP = 4, 8, 40  # a phrase that many times in a row, over that many units at least
COPIED_SHARE, COPIED_UNITS = 0.6, 3  # of the title, in a row

_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
_UNIT = re.compile(rf"[{_HAN}]|[^\W_{_HAN}]+(?:['’-][^\W_{_HAN}]+)*")
_IS_HAN = re.compile(rf"[{_HAN}]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")


def units(text: str) -> list[str]:
    """The words of a text in lower case; a Chinese character is a unit of its own."""
    return [unit.lower() for unit in _UNIT.findall(text)]


def flags(text: str, prompt: Prompt, title: str = "") -> tuple[Flag, ...]:
    """What is conspicuous about a description; the ``title`` is that which the prompt showed."""
    found = units(text)
    least, most = LENGTHS.get(prompt.language, LENGTHS[""])
    verdicts: dict[Flag, bool] = {
        "too short": prompt.schema is None and len(found) < least,
        "too long": len(found) > most,
        "title copied": copies(found, units(title)),
    }
    return tuple(flag for flag, so in verdicts.items() if so)


def in_other_language(found: Sequence[str], language: str) -> bool:
    """Whether most units are in another script than the language's (Latin for "en", Chinese characters for "zh")."""
    letters = [unit for unit in found if not unit.isdecimal()]
    if len(letters) < LEAST_UNITS:
        return False
    own = _IS_HAN if language == "zh" else _LATIN
    return sum(own.match(unit) is not None for unit in letters) < OWN_SHARE * len(letters)


def loops(found: Sequence[str]) -> bool:
    """Whether a phrase of up to ``LONGEST_LOOP`` units comes four times in a row, over eight units or more."""
    for period in range(1, min(LONGEST_LOOP, len(found) // LOOP_TIMES) + 1):
        needed = max(LOOP_TIMES * period, LOOP_UNITS) - period
        run = 0
        for here, there in zip(found, found[period:], strict=False):
            run = run + 1 if here == there else 0
            if run >= needed:
                return True
    return False


def copies(found: Sequence[str], title: Sequence[str]) -> bool:
    """Whether 60 % of the title, three units at least, stand in the text in a row."""
    size = max(COPIED_UNITS, math.ceil(COPIED_SHARE * len(title)))
    return not _runs(title, size).isdisjoint(_runs(found, size))


def _runs(found: Sequence[str], size: int) -> set[tuple[str, ...]]:
    return {tuple(found[start : start + size]) for start in range(len(found) - size + 1)}
