"""What was taken lately: counts of the items in the last days of the data set's log. I items, E events."""

import threading
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from viral.data import Vocabulary
from viral.dataset import Dataset
from viral.errors import DataError
from viral.serve.snapshot import Snapshot

DAY = 86_400
MILLISECONDS = 100_000_000_000  # a time above it is no number of seconds of our days
_HINT = "without days it is by all of the training; or serve with --dataset a data set whose log has times"


class Recent:
    """The log's items and times, read when they are first asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._log: tuple[Any, Any] | None = None  # items (E,) and times (E,) in seconds, ascending
        self._counted = lru_cache(maxsize=16)(self._count)

    def counts(self, snapshot: Snapshot, days: int) -> Tensor:
        """How often each item was taken in the last days before the log's last event: (I,) int64.

        ``DataError`` where there is no data set, or its log has no times.
        """
        with self._lock:
            if self._log is None:
                self._log = _log(snapshot.dataset, snapshot.bundle.items)
        return self._counted(days, len(snapshot.bundle.items))

    def _count(self, days: int, size: int) -> Tensor:
        assert self._log is not None
        items, times = self._log
        since = np.searchsorted(times, times[-1] - days * DAY) if len(times) else 0
        return torch.from_numpy(np.bincount(items[since:], minlength=size))


def recent_counts(snapshot: Snapshot, days: int | None) -> Tensor | None:
    """Counts of the last days; None for no days, which means all of the training."""
    return None if days is None else snapshot.kept(Recent).counts(snapshot, days)


def _log(dataset: Dataset | None, known: Vocabulary) -> tuple[Any, Any]:
    import polars as pl

    if dataset is None:
        raise DataError("the server has no data set, so no times", hint=_HINT)
    log = dataset.interactions()
    if "timestamp" not in log.columns:
        raise DataError("the data set's log has no times", hint=_HINT)
    log = log.select("item_id", pl.col("timestamp").cast(pl.Float64, strict=False)).drop_nulls()
    log = log.filter(pl.col("item_id").is_in(list(known.ids)) & pl.col("timestamp").is_finite()).sort("timestamp")
    times = log["timestamp"].to_numpy()
    if not len(times):
        raise DataError("the data set's log has no times", hint=_HINT)
    items = np.array([known.index(item_id) for item_id in log["item_id"].to_list()], dtype=np.int64)
    return items, times / 1000 if times[-1] > MILLISECONDS else times
