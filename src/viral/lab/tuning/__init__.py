"""``viral tune``: the hyper-parameters of a model, chosen on validation, in trials that may be stopped at any time."""

from viral.lab.tuning.space import Space, space_of
from viral.lab.tuning.study import TrialRow, Tuning, tune, tuning_json

__all__ = ["Space", "TrialRow", "Tuning", "space_of", "tune", "tuning_json"]
