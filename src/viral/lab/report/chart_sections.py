"""Sections that are drawn: learning curves, bars, sweeps, shares of scores, maps of items, accuracy against time."""

import math
from dataclasses import dataclass

from viral.base.errors import DataError
from viral.lab.report.values import Estimate, Headed, Part


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
class Curves(Headed):
    """Learning curves: the metric of all models in one chart, each loss in a small chart on its own scale."""

    curves: tuple[Curve, ...]
    metric: str = "recall@20"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One horizontal bar."""

    label: str
    value: Estimate
    note: str = ""
    highlight: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BarChart(Headed):
    """Horizontal bars from zero, with intervals. ``percent`` shows 0.12 as 12 %; ``signed`` shows + before gains.

    ``models`` says that the labels are models, each of which has its colour.
    """

    bars: tuple[Bar, ...]
    quantity: str  # what the axis measures: "recall@20"
    caption: str = ""
    percent: bool = False
    signed: bool = False
    models: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPoint:
    """One value of a parameter, as it is shown, and what was measured there."""

    label: str
    value: Estimate
    highlight: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep(Headed):
    """A metric over a parameter's values, which stand in order at equal distances: so 0, .001, .01 have their places.

    ``baseline`` is drawn as a level line with its label, where there is one.
    """

    parameter: str
    points: tuple[SweepPoint, ...]
    quantity: str  # what the vertical axis measures: "recall@20"
    baseline: Estimate | None = None
    baseline_label: str = ""
    caption: str = ""


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
class ShareChart(Headed):
    """What scores are made of, as stacked shares of one bar each."""

    rows: tuple[ShareRow, ...]
    caption: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """One map: a point for each item and the index of its group in ``Scatter.groups``, -1 for none."""

    label: str
    points: tuple[tuple[float, float], ...]
    groups: tuple[int, ...]
    note: str = ""

    def __post_init__(self) -> None:
        if len(self.points) != len(self.groups):
            what = f"{len(self.groups)} groups for {len(self.points)} points"
            raise DataError(what, where=f"map {self.label!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scatter(Headed):
    """Maps beside each other with one legend. Each has its own scale, equal in both directions; axes mean nothing."""

    groups: tuple[str, ...]
    clouds: tuple[Cloud, ...]
    caption: str = ""

    def __post_init__(self) -> None:
        for cloud in self.clouds:
            if cloud.groups and not -1 <= min(cloud.groups) <= max(cloud.groups) < len(self.groups):
                what = f"a group outside the {len(self.groups)} that the legend has"
                raise DataError(what, where=f"map {cloud.label!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeoffPoint:
    """One model: its cost and its accuracy."""

    label: str
    seconds: float
    value: Estimate

    @property
    def drawable(self) -> bool:
        return self.seconds > 0 and math.isfinite(self.seconds) and math.isfinite(self.value.mean)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tradeoff(Headed):
    """Points over seconds; up is better, left is cheaper. Those without a time or a value are left out.

    Intervals are not drawn: those of a few seeds would set the scale, and they stand in the ranking.
    """

    points: tuple[TradeoffPoint, ...]
    quantity: str  # the vertical axis: "recall@20"
    cost: str  # the horizontal axis: "training time of one seed"
    caption: str = ""
