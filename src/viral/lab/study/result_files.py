"""A study's rows as CSV that a spreadsheet may open, and its JSON."""

import csv
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from viral.base.files import atomic_write, write_json
from viral.lab.study.training_rows import METRICS, Row, mean
from viral.lab.study.tuning.effort import Effort

CSV_FILE, REPORT_FILE = "results.csv", "report.html"
TESTED = ("difference", "relative", "difference_low", "difference_high", "p_value", "p_holm", "effect",
          "wins", "ties", "losses")  # fmt: skip
BUDGET = ("epochs", "epochs_allowed", "patience", "stopped", "epoch_seconds", "seconds", "parameters", "memory",
          "trials", "tuning_epochs", "tuning_seconds")  # fmt: skip
COLUMNS = ("study", "row", "model", "metric", "mean", "low", "high", "seeds", *TESTED, *BUDGET, "failures", "data",
           "commit", "code")  # fmt: skip
CODE = {None: "", True: "changed since", False: "as it is now"}


def safe_cell(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula: texts that begin like one get an apostrophe in front.

    Numbers stay numbers, those that are none become empty.
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else ""
    if value is None:
        return ""
    if isinstance(value, int):
        return value
    text = " ".join(str(value).splitlines())
    return f"'{text}" if text.lstrip(" \0").startswith(("=", "+", "-", "@", "\t", "\r", "|", "%")) else text


def write_csv(path: Path, columns: Sequence[str], lines: Iterable[Mapping[str, Any]]) -> None:
    """A table with a head; what a line does not have is empty."""
    with atomic_write(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([safe_cell(line.get(column)) for column in columns] for line in lines)


def write_rows(
    path: Path,
    rows: Sequence[Row],
    *,
    metric: str,
    data: str,
    tuning: Mapping[str, Effort] | None = None,
) -> None:
    """One line for each row and metric; the test's columns are filled for ``metric``, the one that was tested.

    Numbers of the budget are means over the seeds, memory the greatest of them, in bytes. ``tuning`` is by row.
    """

    def lines() -> Iterator[dict[str, Any]]:
        for row in rows:
            budget = _budget(row, (tuning or {}).get(row.name))
            for name in METRICS:
                tested = row.comparison.to_json() if row.comparison is not None and name == metric else {}
                yield _line(row, name) | tested | budget | {"data": data}

    write_csv(path, COLUMNS, lines())


def _line(row: Row, metric: str) -> dict[str, Any]:
    interval = row.metrics[metric]
    return {
        "study": row.group,
        "row": row.name,
        "model": row.model,
        "metric": metric,
        "mean": interval.mean,
        "low": interval.low,
        "high": interval.high,
        "seeds": " ".join(map(str, row.seeds)),
        "failures": "; ".join(row.failures),
        "commit": " ".join(row.commits),
        "code": CODE[row.code_changed],
    }


def _budget(row: Row, effort: Effort | None) -> dict[str, Any]:
    """What a row was allowed, what it used, and what its tuning cost, flat."""
    return {
        "epochs": mean(row.epochs),
        "epochs_allowed": row.max_epochs,
        "patience": row.patience,
        "stopped": "; ".join(dict.fromkeys(row.stopped)),
        "epoch_seconds": mean(row.epoch_seconds),
        "seconds": mean(row.seconds),
        "parameters": row.parameters,
        "memory": max(row.memory, default=None),
        "trials": effort.trials if effort is not None else None,
        "tuning_epochs": effort.epochs if effort is not None else None,
        "tuning_seconds": effort.seconds if effort is not None else None,
    }


def write_results(path: Path, document: Mapping[str, Any]) -> None:
    """Write a JSON document in which numbers that are none are null."""
    write_json(path, _finite(document))


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
