"""What a report says, before it is drawn: frozen values, checked where a wrong one would make the page lie.

Every ``str`` may be untrusted (a seller's title): it is shown as text, cut to a length that the page bears. Every
section has a ``heading`` and may have an ``intro``; a report is a sequence of sections, in any order and number.
"""

from dataclasses import dataclass
from typing import TypeAlias

from viral.lab.report.chart_sections import BarChart, Curves, Scatter, ShareChart, Sweep, Tradeoff
from viral.lab.report.picture_sections import ContactSheet, Explanations, Users
from viral.lab.report.table_sections import Grid, Ranking, Table
from viral.lab.report.values import Headed


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes(Headed):
    """What a reader should know before believing the numbers: limits, assumptions, what was not done."""

    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NextSteps(Headed):
    """Commands to type next, each with what it does."""

    steps: tuple[tuple[str, str], ...]


Section: TypeAlias = (
    Ranking
    | Curves
    | BarChart
    | Sweep
    | ShareChart
    | Scatter
    | Tradeoff
    | Table
    | Grid
    | ContactSheet
    | Users
    | Explanations
    | Notes
    | NextSteps
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One page. ``lede`` is the finding in a sentence; ``facts`` are (label, value) pairs beneath the title.

    ``ours`` are rows that are VIRAL or a variant of it under another name.
    """

    title: str
    sections: tuple[Section, ...]
    subtitle: str = ""
    lede: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    ours: tuple[str, ...] = ()
