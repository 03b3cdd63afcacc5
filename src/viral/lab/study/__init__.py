"""Many runs, one table, one report: studies whose cells are computed once and can be stopped at any moment."""

from viral.lab.study.ablation import Ablation, ablate
from viral.lab.study.analysis import Row, make_rows
from viral.lab.study.cells import Cell, CellResult, data_hashes
from viral.lab.study.comparison import Leaderboard, compare
from viral.lab.study.runner import Outcome, run_cells
from viral.lab.study.statistics import Comparison, Interval, compare_all, contribution, shares
from viral.lab.study.studies import DEFAULT_STUDIES, STUDIES, Study, Variant

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
