"""From a shop's files to a served page: the steps, which of them are done, and the command of each."""

from viral.apps.up.places import Places
from viral.apps.up.step_plan import PlannedStep, finished, plan

__all__ = ["Places", "PlannedStep", "finished", "plan"]
