"""From a shop's files to a served page: which steps that takes, which of them are done, and the command of each."""

from viral.up.places import Places
from viral.up.plan import Step, finished, plan

__all__ = ["Places", "Step", "finished", "plan"]
