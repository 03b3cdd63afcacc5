"""Many runs, one table, one report: studies whose cells are computed once and can be stopped at any moment."""

from viral.lab.study.ablation.ablate import ablate
from viral.lab.study.ablation.ablation import Ablation
from viral.lab.study.ablation.variants import GROUPS, Variant, VariantGroup
from viral.lab.study.cells import Cell, data_hashes
from viral.lab.study.cold.cold_study import ColdStudy, compare_cold
from viral.lab.study.comparison.compare import compare
from viral.lab.study.comparison.leaderboard import Leaderboard
from viral.lab.study.kept_results import CellResult
from viral.lab.study.reader import read_study
from viral.lab.study.runner import Outcome, run_cells
from viral.lab.study.statistics import Comparison, Interval, compare_all, contribution, shares
from viral.lab.study.study import Study
from viral.lab.study.training_cells import TrainingCell
from viral.lab.study.training_rows import Row, make_rows
from viral.lab.study.tuning.tune import tune
from viral.lab.study.tuning.tuning_study import Tuning

__all__ = [
    "GROUPS",
    "Ablation",
    "Cell",
    "CellResult",
    "ColdStudy",
    "Comparison",
    "Interval",
    "Leaderboard",
    "Outcome",
    "Row",
    "Study",
    "TrainingCell",
    "Tuning",
    "Variant",
    "VariantGroup",
    "ablate",
    "compare",
    "compare_all",
    "compare_cold",
    "contribution",
    "data_hashes",
    "make_rows",
    "read_study",
    "run_cells",
    "shares",
    "tune",
]
