"""A study's rows as files: CSV that a spreadsheet may open, JSON, and LaTeX tables."""

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from viral.base.files import atomic_write, write_json
from viral.lab.study.comparison.tuning_effort import Effort
from viral.lab.study.latex_tables import NEEDS
from viral.lab.study.rows import METRICS, Row

CSV_FILE, JSON_FILE, LATEX_FILE, REPORT_FILE = "results.csv", "results.json", "results.tex", "report.html"
TESTED = ("difference", "relative", "difference_low", "difference_high", "p_value", "p_holm", "effect",
          "wins", "ties", "losses")  # fmt: skip
BUDGET = ("epochs", "epochs_allowed", "patience", "stopped", "epoch_seconds", "seconds", "parameters", "memory",
          "trials", "tuning_epochs", "tuning_seconds")  # fmt: skip
COLUMNS = ("study", "row", "model", "metric", "mean", "low", "high", "seeds", *TESTED, *BUDGET, "failures", "data",
           "commit", "code")  # fmt: skip


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


def write_csv(
    path: Path,
    rows: Sequence[Row],
    *,
    metric: str,
    data: str,
    memory: bool = False,
    tuning: Mapping[str, Effort] | None = None,
) -> None:
    """One line for each row and metric; the test's columns are filled for ``metric``, the one that was tested.

    Numbers of the budget are means over the seeds, memory the greatest of them, in bytes; it is left empty unless
    ``memory`` says that each cell had a process of its own. ``tuning`` is by row.
    """
    with atomic_write(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for row in rows:
            for name in METRICS:
                values = _line(row, name, tested=name == metric) | budget_values(row, (tuning or {}).get(row.name))
                values |= {"data": data} if memory else {"data": data, "memory": None}
                writer.writerow([safe_cell(values.get(column)) for column in COLUMNS])


def _line(row: Row, metric: str, *, tested: bool) -> dict[str, Any]:
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
        "code": "" if row.code_changed is None else "changed since" if row.code_changed else "as it is now",
        **(comparison_values(row) if tested else {}),
    }


def budget_values(row: Row, effort: Effort | None) -> dict[str, Any]:
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


def comparison_values(row: Row) -> dict[str, Any]:
    """The test against the reference, flat; empty where there was none."""
    if row.comparison is None:
        return {}
    test = row.comparison.test
    return {
        "difference": test.difference,
        "relative": row.comparison.relative,
        "difference_low": test.low,
        "difference_high": test.high,
        "p_value": test.p_value,
        "p_holm": row.comparison.p_holm,
        "effect": row.comparison.effect,
        "wins": test.wins,
        "ties": test.ties,
        "losses": test.losses,
    }


def mean(values: Sequence[float]) -> float:
    """The mean, NaN of nothing."""
    return sum(values) / len(values) if values else float("nan")


def rows_json(rows: Sequence[Row], *, memory: bool = False) -> list[dict[str, Any]]:
    """The rows as JSON: every seed's values, intervals, the test; peak memory where each cell had its own process."""
    left_out = {"comparison"} if memory else {"comparison", "memory"}
    return [
        {key: value for key, value in asdict(row).items() if key not in left_out}
        | {"comparison": comparison_values(row) or None}
        for row in rows
    ]


def write_results(path: Path, document: Mapping[str, Any]) -> None:
    """Write a JSON document in which numbers that are none are null."""
    write_json(path, _finite(document))


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_latex(path: Path, tables: Sequence[str]) -> None:
    """Write tables of :mod:`viral.lab.study.latex_tables`, one after the other."""
    with atomic_write(path) as temporary:
        temporary.write_text(NEEDS + "\n".join(tables), encoding="utf-8")
