"""One colour a model, the same in every chart of a page and, for VIRAL and well-known models, on every page.

A tone is one or two classes of the style sheet: ``main`` is VIRAL, ``kin-1`` and so on are its other variants in the
same colour, drawn otherwise, ``tone-1`` to ``tone-8`` are other models, ``again`` marks one that shares its colour.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from viral.lab.report.chart_sections import BarChart, Curves, Tradeoff
from viral.lab.report.picture_sections import Users
from viral.lab.report.sections import Section
from viral.lab.report.table_sections import Grid, Ranking
from viral.lab.report.values import PLAIN

MAIN, AGAIN = "main", " again"
TONES, KINS = 8, 3
WELL_KNOWN = {"lightgcn": 0, "freedom": 1, "vbpr": 2, "bm3": 3, "itemknn": 4, "mgcn": 5, "popularity": 6, "bprmf": 7}


@dataclass(frozen=True, slots=True)
class Palette:
    """Tones by the name of a row."""

    tones: dict[str, str] = field(default_factory=dict)

    def tone(self, name: str) -> str:
        """The tone of a model; ``plain`` for whatever is none."""
        return self.tones.get(name, PLAIN)

    def row(self, name: str, highlight: bool) -> str:
        """The classes of a row of that name: VIRAL's, and the one that the others are compared with."""
        words = ["ours"] if self.is_ours(name) else []
        return " ".join([*words, *(["reference"] if highlight else [])])

    def is_ours(self, name: str) -> bool:
        """Whether it is VIRAL or a variant of it."""
        return self.tone(name) == MAIN or self.tone(name).startswith("kin-")


def palette(sections: Sequence[Section], ours: Collection[str] = ()) -> Palette:
    """The tones of all models of a page. VIRAL is what ``ours`` names, and every name that begins with its own.

    Models whose curves lie over each other choose first, then the others, each in the order of their names; one model
    in several ways, ``itemknn (predicted)``, has one colour.
    """
    first = list(dict.fromkeys(curve.model for one in sections if isinstance(one, Curves) for curve in one.curves))
    names = list(dict.fromkeys([*first, *(name for one in sections for name in models_of(one))]))
    viral = sorted((n for n in names if n in ours or n.casefold().startswith("viral")), key=_plainest)
    tones = {name: f"kin-{(place - 1) % KINS + 1}" if place else MAIN for place, name in enumerate(viral)}
    others = [name for name in names if name not in tones]
    taken: set[int] = set()
    seen: dict[str, str] = {}
    for name in sorted(others, key=lambda name: (name not in first, _key(name) not in WELL_KNOWN, name)):
        if (base := _base(name)) in seen:
            tones[name] = seen[base].removesuffix(AGAIN) + AGAIN
            continue
        wanted = _wanted(base)
        free = [(wanted + step) % TONES for step in range(TONES) if (wanted + step) % TONES not in taken]
        taken.update(free[:1])
        tones[name] = f"tone-{free[0] + 1}" if free else f"tone-{wanted + 1}{AGAIN}"
        seen[base] = tones[name]
    return Palette(tones)


def models_of(section: Section) -> Iterable[str]:
    """The names of models that a section draws or lists."""
    if isinstance(section, Ranking):
        return [row.model for row in section.rows]
    if isinstance(section, Curves):
        return [curve.model for curve in section.curves]
    if isinstance(section, Tradeoff):
        return [point.label for point in section.points]
    if isinstance(section, Grid):
        return [row.label for row in section.rows]
    if isinstance(section, BarChart):
        return [bar.label for bar in section.bars] if section.models else []
    if isinstance(section, Users):
        return [listed.model for user in section.users for listed in user.lists]
    return []


def _plainest(name: str) -> tuple[int, str]:
    """VIRAL itself comes before its variants, whose names are longer."""
    return len(name), name


def _base(name: str) -> str:
    """A model's name without the way that stands behind it in parentheses: ``itemknn (predicted)`` is ``itemknn``."""
    return name.partition(" (")[0] or name


def _key(name: str) -> str:
    return "".join(sign for sign in name.casefold() if sign.isalnum())


def _wanted(name: str) -> int:
    key = _key(name)
    return WELL_KNOWN.get(key, hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[0] % TONES)
