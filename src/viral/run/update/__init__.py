"""Life after training: a run goes on from data that have changed since."""

from viral.run.update.changes import Changes, changes_between
from viral.run.update.new_features import FeatureMakers
from viral.run.update.update import update

__all__ = ["Changes", "FeatureMakers", "changes_between", "update"]
