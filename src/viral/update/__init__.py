"""Life after training: a run goes on from data that have changed since."""

from viral.update.changes import Changes, changes_between
from viral.update.describing import Makers
from viral.update.run import update

__all__ = ["Changes", "Makers", "changes_between", "update"]
