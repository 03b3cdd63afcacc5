"""Popularity of late: counts of the items in the last days of the data set's log. I items, E events."""

import threading
from typing import Any

import numpy as np
import torch
from torch import Tensor

from viral.apps.serve.snapshot import Snapshot
from viral.base.errors import DataError
from viral.data.dataset import Dataset
from viral.data.vocabulary import Vocabulary

DAY = 86_400
MILLISECONDS = 100_000_000_000  # a time above it is no number of seconds of our days
REMEMBERED = 16  # numbers of days
_HINT = "without days it is by all of the training; or serve with --dataset a data set whose log has times"


class RecentPopularity:
    """The log's items and times, read when they are first asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._log: tuple[Any, Any] | None = None  # items (E,) and times (E,) in seconds, ascending
        self._counts: dict[int, Tensor] = {}

    def counts(self, snapshot: Snapshot, days: int) -> Tensor:
        """How often each item was chosen in the last days before the log's last event: (I,) int64.

        ``DataError`` where there is no data set, or its log has no times.
        """
        with self._lock:
            if days not in self._counts:
                if self._log is None:
                    self._log = _log(snapshot.dataset, snapshot.bundle.items)
                items, times = self._log
                since = np.searchsorted(times, times[-1] - days * DAY)
                if len(self._counts) >= REMEMBERED:
                    self._counts.clear()
                counted = np.bincount(items[since:], minlength=len(snapshot.bundle.items))
                self._counts[days] = torch.from_numpy(counted)
            return self._counts[days]


def recent_counts(snapshot: Snapshot, days: int | None) -> Tensor | None:
    """Counts of the last days; None for no days, which means all of the training."""
    return None if days is None else snapshot.kept(RecentPopularity).counts(snapshot, days)


def _log(dataset: Dataset | None, known: Vocabulary) -> tuple[Any, Any]:
    """Indices (E,) of the items that the bundle knows, and times (E,), ascending."""
    import polars as pl

    if dataset is None:
        raise DataError("the server has no data set, so no times", hint=_HINT)
    log = dataset.interactions()
    if "timestamp" not in log.columns:
        raise DataError("the data set's log has no times", hint=_HINT)
    items = pl.DataFrame({"item_id": list(known.ids)}, schema={"item_id": pl.String}).with_row_index("item")
    log = log.select("item_id", pl.col("timestamp").cast(pl.Float64, strict=False)).drop_nulls()
    log = log.filter(pl.col("timestamp").is_finite()).join(items, on="item_id", how="inner").sort("timestamp")
    if not log.height:
        raise DataError("the data set's log has no times", hint=_HINT)
    times = log["timestamp"].to_numpy()
    return log["item"].cast(pl.Int64).to_numpy(), times / 1000 if times[-1] > MILLISECONDS else times
