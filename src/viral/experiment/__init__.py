"""Many runs, one table, one report: studies whose cells are computed once and can be stopped at any moment."""

from viral.experiment.ablation import Ablation, ablate
from viral.experiment.analysis import Row, make_rows
from viral.experiment.cells import Cell, CellResult, data_hashes
from viral.experiment.comparison import Leaderboard, compare
from viral.experiment.run import Outcome, run_cells
from viral.experiment.statistics import Comparison, Interval, compare_all, contribution, shares
from viral.experiment.studies import DEFAULT_STUDIES, STUDIES, Study, Variant

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
