"""Rows of a study as LaTeX: ``booktabs`` tables, every text escaped."""

import math
from collections.abc import Sequence
from pathlib import Path

from viral.base.files import atomic_write
from viral.lab.study.statistics import Interval
from viral.lab.study.training_rows import USER_METRICS, Row

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
