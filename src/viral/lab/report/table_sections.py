"""Sections that are tables: the ranking of models, plain tables, and grids whose cells are bars."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from viral.base.errors import DataError
from viral.lab.report.values import Estimate, Headed


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
class Ranking(Headed):
    """The table of models. ``mark_legend`` says what each mark means; ``chart_metric`` is also drawn as bars."""

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

    @property
    def estimates(self) -> list[Estimate]:
        """What is shown of all rows."""
        return [row.metrics[name] for row in self.rows for name in self.metrics if name in row.metrics]

    def best(self, metric: str) -> float | None:
        """The greatest finite mean in a column, to be marked; ``None`` where there is none."""
        means = [row.metrics[metric].mean for row in self.rows if metric in row.metrics]
        return max((mean for mean in means if math.isfinite(mean)), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table(Headed):
    """A plain table of ready texts. The first column heads its row; ``numeric`` names the columns set flush right.

    ``notes`` are small words beneath the heads of the rows, one for each or none; ``highlight`` are rows by place.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    numeric: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    highlight: frozenset[int] = frozenset()

    @classmethod
    def of_numbers(
        cls, heading: str, columns: Sequence[str], rows: Iterable[Iterable[str]], *, caption: str = "", intro: str = ""
    ) -> "Table":
        """A table in which every column but the first is of numbers."""
        made = tuple(tuple(row) for row in rows)
        head = tuple(columns)
        return cls(heading=heading, columns=head, rows=made, numeric=head[1:], caption=caption, intro=intro)

    def __post_init__(self) -> None:
        if self.notes and len(self.notes) != len(self.rows):
            raise DataError(f"{len(self.notes)} notes for {len(self.rows)} rows", where=f"table {self.heading!r}")
        for number, row in enumerate(self.rows, start=1):
            if len(row) != len(self.columns):
                what = f"{len(row)} cells for {len(self.columns)} columns"
                raise DataError(what, where=f"table {self.heading!r}, row {number}")


@dataclass(frozen=True, slots=True, kw_only=True)
class GridCell:
    """A number, its interval and a mark like ``▲``; without a value a dash."""

    value: Estimate | None = None
    mark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GridRow:
    """One row, with as many cells as the grid has columns."""

    label: str
    cells: tuple[GridCell, ...]
    highlight: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid(Headed):
    """Bars from zero, in columns of a name and a note each; values must not be negative."""

    columns: tuple[tuple[str, str], ...]
    rows: tuple[GridRow, ...]
    caption: str = ""
    mark_legend: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        for row in self.rows:
            where = f"grid {self.heading!r}, row {row.label!r}"
            if len(row.cells) != len(self.columns):
                raise DataError(f"{len(row.cells)} cells for {len(self.columns)} columns", where=where)
            if any(cell.value is not None and cell.value.mean < 0 for cell in row.cells):
                raise DataError("a bar from zero cannot be negative", where=where)

    def top(self, column: int) -> float:
        """The greatest mean of a column, 0 where there is none."""
        values = (row.cells[column].value for row in self.rows)
        return max((v.mean for v in values if v is not None and math.isfinite(v.mean)), default=0.0)
