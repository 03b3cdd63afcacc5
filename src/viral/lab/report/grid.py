"""A table whose cells are bars: rows against each other in several columns, each column on its own scale."""

import math
from dataclasses import dataclass

from markupsafe import Markup

from viral.base.errors import DataError
from viral.lab.report.svg import element
from viral.lab.report.values import PLAIN, Estimate

HEIGHT, BAR = 10, 6


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
class Grid:
    """Bars from zero, in columns of a name and a note each; values must not be negative."""

    heading: str
    columns: tuple[tuple[str, str], ...]
    rows: tuple[GridRow, ...]
    caption: str = ""
    mark_legend: tuple[tuple[str, str], ...] = ()
    intro: str = ""

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


def grid_bar(value: Estimate, top: float, tone: str = PLAIN) -> Markup:
    """A cell's bar, as long as its share of ``top``."""
    length = 100 * value.mean / top if top > 0 and math.isfinite(value.mean) else 0.0
    shapes = [
        element("rect", class_="track", x=0, width="100%", y=HEIGHT - BAR, height=BAR),
        element("rect", class_=f"fill {tone}", x=0, width=f"{length:.2f}%", y=HEIGHT - BAR, height=BAR),
    ]
    return element("svg", *shapes, class_="bar cell", height=HEIGHT, aria_hidden="true")
