"""Many runs, one table, one report: studies whose cells are computed once and can be stopped at any moment."""

from viral.lab.study.ablation.ablate import Ablation, ablate
from viral.lab.study.ablation.groups import DEFAULT_STUDIES, STUDIES, Study, Variant
from viral.lab.study.cells import Cell, CellResult, data_hashes
from viral.lab.study.comparison.compare import Leaderboard, compare
from viral.lab.study.rows import Row, make_rows
from viral.lab.study.runner import Outcome, run_cells
from viral.lab.study.statistics import Comparison, Interval, compare_all, contribution, shares

__all__ = [
    "DEFAULT_STUDIES",
    "STUDIES",
    "Ablation",
    "Cell",
    "CellResult",
    "Comparison",
    "Interval",
    "Leaderboard",
    "Outcome",
    "Row",
    "Study",
    "Variant",
    "ablate",
    "compare",
    "compare_all",
    "contribution",
    "data_hashes",
    "make_rows",
    "run_cells",
    "shares",
]
