"""A study's rows as files: CSV that a spreadsheet may open, JSON, and a LaTeX table."""

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from viral.experiment.analysis import METRICS, Row
from viral.files import atomic_write, write_json

CSV_FILE, JSON_FILE, LATEX_FILE, REPORT_FILE = "results.csv", "results.json", "results.tex", "report.html"
TESTED = ("difference", "relative", "difference_low", "difference_high", "p_value", "p_holm", "effect",
          "wins", "ties", "losses")  # fmt: skip
COLUMNS = ("study", "row", "model", "metric", "mean", "low", "high", "seeds", *TESTED, "epochs", "seconds",
           "parameters", "failures", "data", "commit")  # fmt: skip
LATEX_METRICS = ("recall@10", "recall@20", "ndcg@10", "ndcg@20")
ESCAPES = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "λ": r"$\lambda$",
    **{sign: "\\" + sign for sign in "&%$#_{}"},
}


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


def write_csv(path: Path, rows: Sequence[Row], *, metric: str, data: str) -> None:
    """One line for each row and metric; the test's columns are filled for ``metric``, the one that was tested."""
    with atomic_write(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for row in rows:
            for name in METRICS:
                values = _line(row, name, tested=name == metric) | {"data": data}
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
        "epochs": mean(row.epochs),
        "seconds": mean(row.seconds),
        "parameters": row.parameters,
        "failures": "; ".join(row.failures),
        "commit": " ".join(row.commits),
        **(comparison_values(row) if tested else {}),
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


def latex_escape(text: str) -> str:
    """Text as LaTeX shows it."""
    return "".join(ESCAPES.get(sign, sign) for sign in text)


def latex_table(rows: Sequence[Row], *, metric: str, caption: str) -> str:
    """A ``booktabs`` table of means with half the interval's width; a star where the Holm-corrected p < 0.05."""
    head = " & ".join(["", *(latex_escape(name) for name in LATEX_METRICS), r"$p_\mathrm{Holm}$"])
    lines = []
    for place, row in enumerate(rows):
        if place and row.group != rows[place - 1].group:
            lines.append(r"\midrule")
        cells = [_latex_number(row, name, star=name == metric) for name in LATEX_METRICS]
        p = "" if row.comparison is None else f"{row.comparison.p_holm:.2g}"
        lines.append(" & ".join([latex_escape(row.name), *cells, p]) + r" \\")
    body = "\n".join(lines)
    return (
        "% needs \\usepackage{booktabs}\n\\begin{table}\n\\centering\n"
        f"\\caption{{{latex_escape(caption)}}}\n\\begin{{tabular}}{{l{'r' * (len(LATEX_METRICS) + 1)}}}\n\\toprule\n"
        f"{head} \\\\\n\\midrule\n{body}\n\\bottomrule\n\\end{{tabular}}\n\\end{{table}}\n"
    )


def _latex_number(row: Row, metric: str, *, star: bool) -> str:
    interval = row.metrics[metric]
    if not math.isfinite(interval.mean):
        return "--"
    half = "" if interval.high is None else rf" {{\scriptsize $\pm$ {interval.high - interval.mean:.4f}}}"
    marked = star and row.comparison is not None and row.comparison.p_holm < 0.05
    return f"{interval.mean:.4f}{'*' if marked else ''}{half}"


def write_latex(path: Path, rows: Sequence[Row], *, metric: str, caption: str) -> None:
    """Write :func:`latex_table`."""
    with atomic_write(path) as temporary:
        temporary.write_text(latex_table(rows, metric=metric, caption=caption), encoding="utf-8")
