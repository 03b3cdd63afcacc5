"""What a run looks like to a reader: one self-contained HTML file, without scripts and with nothing to fetch."""

from viral.lab.report.data import NextSteps, Notes, Report, Section, Step
from viral.lab.report.grid import Grid, GridCell, GridRow
from viral.lab.report.picture_sections import (
    ContactSheet,
    Described,
    Explanation,
    Explanations,
    ModelList,
    Recommended,
    Users,
    UserStory,
)
from viral.lab.report.render import STYLES, render_report, render_sections, style, write_report
from viral.lab.report.scatter import Cloud, Scatter
from viral.lab.report.tables import (
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
from viral.lab.report.tradeoff import Tradeoff, TradeoffPoint
from viral.lab.report.values import Estimate, Part, Thing

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
