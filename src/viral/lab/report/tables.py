"""Sections of numbers: the ranking of models, learning curves, bars, sweeps, shares and plain tables."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from viral.base.errors import DataError
from viral.lab.report.values import Estimate, Part


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingRow:
    """One model. ``metrics`` and ``marks`` are by metric name (``recall@20``); a mark is a sign like ``*`` or ``†``."""

    model: str
    metrics: Mapping[str, Estimate]
    marks: Mapping[str, str] = field(default_factory=dict)
    epochs: int | None = None
    seconds: float | None = None
    parameters: int | None = None
    note: str = ""
    highlight: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """The table of models. ``mark_legend`` says what each mark means; ``chart_metric`` is also drawn as bars."""

    heading: str
    rows: tuple[RankingRow, ...]
    command: str
    data: str
    seeds: tuple[int, ...]
    commit: str
    split: str = "test"
    users: int | None = None
    metrics: tuple[str, ...] = ("recall@10", "recall@20", "ndcg@10", "ndcg@20")
    chart_metric: str | None = "recall@20"
    mark_legend: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    intro: str = ""

    @property
    def estimates(self) -> list[Estimate]:
        """What is shown of all rows."""
        return [row.metrics[name] for row in self.rows for name in self.metrics if name in row.metrics]

    def best(self, metric: str) -> float | None:
        """The greatest finite mean in a column, to be marked; ``None`` where there is none."""
        means = [row.metrics[metric].mean for row in self.rows if metric in row.metrics]
        return max((mean for mean in means if math.isfinite(mean)), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One model's training: ``valid`` and ``loss`` have one value per entry of ``epochs`` (or none at all)."""

    model: str
    epochs: tuple[int, ...]
    valid: tuple[float, ...]
    loss: tuple[float, ...] = ()
    best_epoch: int | None = None

    def __post_init__(self) -> None:
        for name, values in (("valid", self.valid), ("loss", self.loss)):
            if values and len(values) != len(self.epochs):
                what = f"{len(values)} values of {name} for {len(self.epochs)} epochs"
                raise DataError(what, where=f"the learning curve of {self.model}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """Learning curves: the metric of all models in one chart, each loss in a small chart on its own scale."""

    heading: str
    curves: tuple[Curve, ...]
    metric: str = "recall@20"
    intro: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One horizontal bar."""

    label: str
    value: Estimate
    note: str = ""
    highlight: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BarChart:
    """Horizontal bars from zero, with intervals. ``percent`` shows 0.12 as 12 %; ``signed`` shows + before gains.

    ``models`` says that the labels are models, each of which has its colour.
    """

    heading: str
    bars: tuple[Bar, ...]
    quantity: str  # what the axis measures: "recall@20"
    caption: str = ""
    percent: bool = False
    signed: bool = False
    models: bool = False
    intro: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPoint:
    """One value of a parameter, as it is shown, and what was measured there."""

    label: str
    value: Estimate
    highlight: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """A metric over a parameter's values, which stand in order at equal distances: so 0, .001, .01 have their places.

    ``baseline`` is drawn as a level line with its label, where there is one.
    """

    heading: str
    parameter: str
    points: tuple[SweepPoint, ...]
    quantity: str  # what the vertical axis measures: "recall@20"
    baseline: Estimate | None = None
    baseline_label: str = ""
    caption: str = ""
    intro: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareRow:
    """One stacked bar; parts are not negative and are shown as shares of their sum."""

    label: str
    parts: tuple[Part, ...]

    def __post_init__(self) -> None:
        for part in self.parts:
            if not (math.isfinite(part.value) and part.value >= 0):
                what = f"part {part.name!r} is {part.value}; a share cannot be drawn from it"
                raise DataError(what, where=f"share {self.label!r}", hint="pass absolute contributions")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareChart:
    """What scores are made of, as stacked shares of one bar each."""

    heading: str
    rows: tuple[ShareRow, ...]
    caption: str = ""
    intro: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A plain table of ready texts. The first column heads its row; ``numeric`` names the columns set flush right.

    ``notes`` are small words beneath the heads of the rows, one for each or none; ``highlight`` are rows by place.
    """

    heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    numeric: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    highlight: frozenset[int] = frozenset()
    intro: str = ""

    def __post_init__(self) -> None:
        if self.notes and len(self.notes) != len(self.rows):
            raise DataError(f"{len(self.notes)} notes for {len(self.rows)} rows", where=f"table {self.heading!r}")
        for number, row in enumerate(self.rows, start=1):
            if len(row) != len(self.columns):
                what = f"{len(row)} cells for {len(self.columns)} columns"
                raise DataError(what, where=f"table {self.heading!r}, row {number}")
