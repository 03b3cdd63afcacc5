"""Whom each row serves, as a section of the report, CSV, JSON and LaTeX."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from viral.base.files import atomic_write
from viral.base.language import _, marked, n_
from viral.lab.report import Grid, GridCell, GridRow
from viral.lab.report.wording import DASH, fixed
from viral.lab.study.comparison.segments import SEGMENTS, Segment
from viral.lab.study.latex_tables import text_table
from viral.lab.study.report_sections import HIGHER, LOWER, SIGNIFICANT, estimate
from viral.lab.study.result_files import safe_cell
from viral.lab.study.rows import Row

CSV_FILE = "segments.csv"
TESTED = ("difference", "difference_low", "difference_high", "p_value", "p_holm", "least_p",
          "wins", "ties", "losses")  # fmt: skip
COLUMNS = ("row", "segment", "metric", "mean", "low", "high", "users", "seeds", "against", *TESTED)
TOO_FEW = "°"
KINDS = marked(
    "Light users have at most the median number of training interactions, heavy ones more. Head, tail and cold are the"
    " held-out items: head as popular in train as its most popular fifth, cold never there; only held-out items of that"
    " kind count, for the users who have one, in the ranking of all items."
)


def section(segments: Sequence[Segment], rows: Sequence[Row], metric: str, reference: str) -> Grid:
    """The table of the report: one metric of every row by segment, with bars and marks of significance."""
    sizes = _sizes(segments)
    by_place = {(each.row, each.segment): each for each in segments}
    lines = [
        GridRow(
            label=row.name,
            cells=(
                GridCell(value=estimate(row.metrics[metric]) if row.seeds else None, mark=_row_mark(row)),
                *(_cell(by_place.get((row.name, name)), metric) for name in sizes),
            ),
            highlight=row.name == reference,
        )
        for row in rows
    ]
    failed = {row.name for row in rows if not row.seeds}
    missing = any(cell.value is None for line in lines if line.label not in failed for cell in line.cells)
    return Grid(
        heading=_("%(metric)s by users and items", metric=metric),
        columns=(
            (_("all"), ""),
            *((_(name), n_("%(number)s user", "%(number)s users", size)) for name, size in sizes.items()),
        ),
        rows=tuple(lines),
        caption=" ".join([_(KINDS), _family(segments), _("Bars are relative to the greatest value of their column.")]),
        mark_legend=(
            (
                HIGHER,
                _(
                    "higher than %(reference)s in %(metric)s: paired test over the segment's users, Holm-corrected",
                    reference=reference,
                    metric=metric,
                ),
            ),
            (LOWER, _("lower than %(reference)s, likewise", reference=reference)),
            (TOO_FEW, _("so few users differ that no difference could have been significant")),
        ),
        intro=_("A dash: computed by a version that kept no ranks; --renew computes it anew.") if missing else "",
    )


def _sizes(segments: Sequence[Segment]) -> dict[str, int]:
    """Users of each segment that somebody is in, in the usual order."""
    found = {each.segment: each.users for each in segments}
    return {name: found[name] for name in SEGMENTS if name in found}


def _family(segments: Sequence[Segment]) -> str:
    family = len({id(each.test) for each in segments if each.test is not None})
    return _(
        "Holm's correction of the segments is over their %(tests)s tests (every row in every segment).", tests=family
    )


def _cell(segment: Segment | None, metric: str) -> GridCell:
    return GridCell() if segment is None else GridCell(value=estimate(segment.metrics[metric]), mark=mark(segment))


def mark(segment: Segment) -> str:
    """The sign of a segment's test: higher, lower, undecidable, or none."""
    if segment.test is None:
        return ""
    if segment.test.significant:
        return HIGHER if segment.test.test.difference > 0 else LOWER
    return TOO_FEW if segment.test.too_few else ""


def _row_mark(row: Row) -> str:
    if row.comparison is None or row.comparison.p_holm >= SIGNIFICANT:
        return ""
    return HIGHER if row.comparison.test.difference > 0 else LOWER


def latex(segments: Sequence[Segment], rows: Sequence[Row], metric: str, reference: str) -> str:
    """The same as a LaTeX table: ``*`` is significant, ``°`` could not have been."""
    sizes = _sizes(segments)
    by_place = {(each.row, each.segment): each for each in segments}
    stars = {HIGHER: "*", LOWER: "*"}
    lines = []
    for row in rows:
        cells = [by_place.get((row.name, name)) for name in sizes]
        texts = [DASH if c is None else fixed(c.metrics[metric].mean) + stars.get(m := mark(c), m) for c in cells]
        lines.append((row.name, fixed(row.metrics[metric].mean) + stars.get(m := _row_mark(row), m), *texts))
    head = ("", "all", *(f"{name} (n = {size})" for name, size in sizes.items()))
    caption = (
        f"{metric} by users and items; n users. * p < {SIGNIFICANT} against {reference} (paired over the segment's"
        f" users); {TOO_FEW} so few users differ that no difference could have been. {_family(segments)} {KINDS}"
    )
    return text_table(head, lines, caption)


def write_csv(
    path: Path, segments: Sequence[Segment], seeds: Mapping[str, Sequence[int]], *, metric: str, reference: str
) -> None:
    """One line for each row, segment and metric; the test's columns are filled for ``metric``."""
    with atomic_write(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for each in segments:
            for name, interval in each.metrics.items():
                values = {"row": each.row, "segment": each.segment, "metric": name, "mean": interval.mean}
                values |= {"low": interval.low, "high": interval.high, "users": each.users}
                values["seeds"] = " ".join(map(str, seeds[each.row]))
                values |= ({"against": reference} | _tested(each)) if name == metric and each.test is not None else {}
                writer.writerow([safe_cell(values.get(column)) for column in COLUMNS])


def _tested(segment: Segment) -> dict[str, Any]:
    """The test, flat; empty where there was none."""
    if segment.test is None:
        return {}
    test = segment.test.test
    return {
        "difference": test.difference,
        "difference_low": test.low,
        "difference_high": test.high,
        "p_value": test.p_value,
        "p_holm": segment.test.p_holm,
        "least_p": segment.test.least_p,
        "wins": test.wins,
        "ties": test.ties,
        "losses": test.losses,
    }


def to_json(segments: Sequence[Segment]) -> list[dict[str, Any]]:
    """The segments as they are, each with its test, if it has one."""
    return [
        {
            "row": each.row,
            "segment": each.segment,
            "users": each.users,
            "metrics": {name: asdict(interval) for name, interval in each.metrics.items()},
            "comparison": _tested(each) or None,
        }
        for each in segments
    ]


def findings(segments: Sequence[Segment], reference: str) -> list[str]:
    """What the tests allow to say of segments, for the notes: who is better where, and where nobody could be."""
    tested = [each for each in segments if each.test is not None]
    few = [name for name in _sizes(tested) if all(e.test.too_few for e in tested if e.segment == name and e.test)]
    better = [f"{each.row} ({_(each.segment)})" for each in tested if mark(each) == HIGHER]
    rows = ", ".join(better) or _("nobody")
    said = [
        _(
            "Better than %(reference)s in a segment, beyond luck over its users: %(rows)s.",
            reference=reference, rows=rows,
        )
    ]  # fmt: skip
    if few:
        said.append(_("Too few users differ for any word on: %(segments)s.", segments=", ".join(map(_, few))))
    return said if tested else []
