"""A study's rows as files: CSV that a spreadsheet may open, JSON, and ``booktabs`` tables, escaped, for LaTeX."""

import csv
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from viral.base.files import atomic_write, write_json
from viral.lab.study.statistics import Interval
from viral.lab.study.training_rows import METRICS, USER_METRICS, Row, mean
from viral.lab.study.tuning.tuning_study import Effort

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


LATEX_FILE = "results.tex"
ESCAPES = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "λ": r"$\lambda$",
    "–": "--",
    "−": "$-$",
    "±": r"$\pm$",
    "°": r"$^{\circ}$",
    "\u00a0": "~",
    **{sign: "\\" + sign for sign in "&%$#_{}"},
}
ENDS = "± and brackets: 95 % interval over seeds (Student's t, cut where the metric's range ends)."
FEW = "In parentheses: the least and the greatest of fewer than four seeds, which tell no interval."
NEEDS = "% needs \\usepackage{booktabs}\n"


def latex_escape(text: str) -> str:
    """Text as LaTeX shows it."""
    return "".join(ESCAPES.get(sign, sign) for sign in text)


def booktabs(head: Sequence[str], lines: Sequence[str], caption: str, *, notes: Sequence[str] = ()) -> str:
    """A table of ready ``lines``; ``head`` is ready too, the caption is escaped. The first column is flush left."""
    below = "".join(f"{note}\n" for note in ([r"\par\footnotesize", *notes] if notes else []))
    return (
        f"\\begin{{table}}\n\\centering\n\\caption{{{latex_escape(caption)}}}\n"
        f"\\begin{{tabular}}{{l{'r' * (len(head) - 1)}}}\n\\toprule\n"
        f"{' & '.join(head)} \\\\\n\\midrule\n"
        + "".join(f"{line}\n" for line in lines)
        + f"\\bottomrule\n\\end{{tabular}}\n{below}\\end{{table}}\n"
    )


def text_table(head: Sequence[str], rows: Sequence[Sequence[str]], caption: str) -> str:
    """A table of texts."""
    lines = [" & ".join(map(latex_escape, row)) + r" \\" for row in rows]
    return booktabs([latex_escape(name) for name in head], lines, caption)


def latex_table(rows: Sequence[Row], *, metric: str, caption: str) -> str:
    """Means with half the interval's width, or with its ends where the mean is not in the middle or they are seeds.

    A star where the Holm-corrected p < 0.05; a note says what the ends are.
    """
    lines = []
    for place, row in enumerate(rows):
        if place and row.group != rows[place - 1].group:
            lines.append(r"\midrule")
        cells = [_number(row, name, star=name == metric) for name in USER_METRICS]
        p = "" if row.comparison is None else f"{row.comparison.p_holm:.2g}"
        lines.append(" & ".join([latex_escape(row.name), *cells, p]) + r" \\")
    few = any(row.metrics[name].few for row in rows for name in USER_METRICS)
    notes = [latex_escape(ENDS + (f" {FEW}" if few else ""))] if any(len(row.seeds) > 1 for row in rows) else []
    return booktabs(["", *map(latex_escape, USER_METRICS), r"$p_\mathrm{Holm}$"], lines, caption, notes=notes)


def _ends(interval: Interval) -> str:
    low, high = interval.low or 0.0, interval.high or 0.0
    if interval.few:
        return f"({low:.4f}--{high:.4f})"
    if math.isclose(high - interval.mean, interval.mean - low, abs_tol=5e-5):
        return rf"$\pm$ {high - interval.mean:.4f}"
    return f"[{low:.4f}, {high:.4f}]"


def _number(row: Row, metric: str, *, star: bool) -> str:
    interval = row.metrics[metric]
    if not math.isfinite(interval.mean):
        return "--"
    ends = rf" {{\scriptsize {_ends(interval)}}}" if interval.high is not None else ""
    marked = star and row.comparison is not None and row.comparison.significant
    return f"{interval.mean:.4f}{'*' if marked else ''}{ends}"


def write_latex(path: Path, tables: Sequence[str]) -> None:
    """Write tables, one after the other."""
    with atomic_write(path) as temporary:
        temporary.write_text(NEEDS + "\n".join(tables), encoding="utf-8")
