"""What a run looks like to a reader: one self-contained HTML file, without scripts and with nothing to fetch."""

from viral.report.data import NextSteps, Notes, Report, Section, Step
from viral.report.grid import Grid, GridCell, GridRow
from viral.report.render import STYLES, render_report, render_sections, style, write_report
from viral.report.scatter import Cloud, Scatter
from viral.report.stories import (
    ContactSheet,
    Described,
    Explanation,
    Explanations,
    ModelList,
    Recommended,
    Users,
    UserStory,
)
from viral.report.tables import (
    Bar,
    BarChart,
    Curve,
    Curves,
    Ranking,
    RankingRow,
    ShareChart,
    ShareRow,
    Sweep,
    SweepPoint,
    Table,
)
from viral.report.tradeoff import Tradeoff, TradeoffPoint
from viral.report.values import Estimate, Part, Thing

__all__ = [
    "STYLES",
    "Bar",
    "BarChart",
    "Cloud",
    "ContactSheet",
    "Curve",
    "Curves",
    "Described",
    "Estimate",
    "Explanation",
    "Explanations",
    "Grid",
    "GridCell",
    "GridRow",
    "ModelList",
    "NextSteps",
    "Notes",
    "Part",
    "Ranking",
    "RankingRow",
    "Recommended",
    "Report",
    "Scatter",
    "Section",
    "ShareChart",
    "ShareRow",
    "Step",
    "Sweep",
    "SweepPoint",
    "Table",
    "Thing",
    "Tradeoff",
    "TradeoffPoint",
    "UserStory",
    "Users",
    "render_report",
    "render_sections",
    "style",
    "write_report",
]
