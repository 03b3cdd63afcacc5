"""Whom each row serves, as a section of the report, CSV and LaTeX."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from viral.base.language import _, marked, n_
from viral.lab.report import Grid, GridCell, GridRow
from viral.lab.report.wording import DASH, fixed
from viral.lab.study.comparison.leaderboard import Leaderboard
from viral.lab.study.comparison.segments import SEGMENTS, Segment
from viral.lab.study.report_sections import HIGHER, LOWER, estimate, mark_of
from viral.lab.study.result_files import text_table, write_csv
from viral.lab.study.statistics import SIGNIFICANT

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


def section(result: Leaderboard) -> Grid:
    """The table of the report: one metric of every row by segment, with bars and marks of significance."""
    metric, sizes, by_place = result.metric, _sizes(result.segments), _by_place(result)
    lines = [
        GridRow(
            label=row.name,
            cells=(
                GridCell(value=estimate(row.metrics[metric]) if row.seeds else None, mark=mark_of(row.comparison)),
                *(_cell(by_place.get((row.name, name)), metric) for name in sizes),
            ),
            highlight=row.name == result.reference,
        )
        for row in result.rows
    ]
    failed = {row.name for row in result.rows if not row.seeds}
    missing = any(cell.value is None for line in lines if line.label not in failed for cell in line.cells)
    higher = _(
        "higher than %(reference)s in %(metric)s: paired test over the segment's users, Holm-corrected",
        reference=result.reference, metric=metric,
    )  # fmt: skip
    return Grid(
        heading=_("%(metric)s by users and items", metric=metric),
        columns=(
            (_("all"), ""),
            *((_(name), n_("%(number)s user", "%(number)s users", size)) for name, size in sizes.items()),
        ),
        rows=tuple(lines),
        caption=" ".join([_(KINDS), _family(result), _("Bars are relative to the greatest value of their column.")]),
        mark_legend=(
            (HIGHER, higher),
            (LOWER, _("lower than %(reference)s, likewise", reference=result.reference)),
            (TOO_FEW, _("so few users differ that no difference could have been significant")),
        ),
        intro=_("A dash: computed by a version that kept no ranks; --renew computes it anew.") if missing else "",
    )


def _by_place(result: Leaderboard) -> dict[tuple[str, str], Segment]:
    return {(each.row, each.segment): each for each in result.segments}


def _sizes(segments: Sequence[Segment]) -> dict[str, int]:
    """Users of each segment that somebody is in, in the usual order."""
    found = {each.segment: each.users for each in segments}
    return {name: found[name] for name in SEGMENTS if name in found}


def _family(result: Leaderboard) -> str:
    """Rows that are one recipe under two names share their tests."""
    keys = {row.name: row.model_key for row in result.rows}
    family = len({(keys[each.row], each.segment) for each in result.segments if each.comparison is not None})
    return _(
        "Holm's correction of the segments is over their %(tests)s tests (every row in every segment).", tests=family
    )


def _cell(segment: Segment | None, metric: str) -> GridCell:
    return GridCell() if segment is None else GridCell(value=estimate(segment.metrics[metric]), mark=mark(segment))


def mark(segment: Segment) -> str:
    """The sign of a segment's test: higher, lower, undecidable, or none."""
    if segment.comparison is None:
        return ""
    if segment.comparison.significant:
        return HIGHER if segment.comparison.test.difference > 0 else LOWER
    return TOO_FEW if segment.comparison.too_few else ""


def latex(result: Leaderboard) -> str:
    """The same as a LaTeX table: ``*`` is significant, ``°`` could not have been."""
    metric, sizes, by_place = result.metric, _sizes(result.segments), _by_place(result)
    stars = {HIGHER: "*", LOWER: "*"}
    lines = []
    for row in result.rows:
        cells = [by_place.get((row.name, name)) for name in sizes]
        texts = [DASH if c is None else fixed(c.metrics[metric].mean) + stars.get(m := mark(c), m) for c in cells]
        lines.append((row.name, fixed(row.mean(metric)) + stars.get(m := mark_of(row.comparison), m), *texts))
    head = ("", "all", *(f"{name} (n = {size})" for name, size in sizes.items()))
    caption = (
        f"{metric} by users and items; n users. * p < {SIGNIFICANT} against {result.reference} (paired over the"
        f" segment's users); {TOO_FEW} so few users differ that no difference could have been. {_family(result)}"
        f" {KINDS}"
    )
    return text_table(head, lines, caption)


def write_segments(path: Path, result: Leaderboard) -> None:
    """One line for each row, segment and metric; the test's columns are filled for the metric that was tested."""
    seeds = {row.name: " ".join(map(str, row.seeds)) for row in result.rows}

    def lines() -> Iterator[dict[str, Any]]:
        for each in result.segments:
            test = {} if each.comparison is None else each.comparison.to_json() | {"against": result.reference}
            about = {"row": each.row, "segment": each.segment, "users": each.users, "seeds": seeds[each.row]}
            for name, interval in each.metrics.items():
                ends = {"metric": name, "mean": interval.mean, "low": interval.low, "high": interval.high}
                yield about | ends | (test if name == result.metric else {})

    write_csv(path, COLUMNS, lines())


def findings(segments: Sequence[Segment], reference: str) -> list[str]:
    """What the tests allow to say of segments, for the notes: who is better where, and where nobody could be."""
    tested = [each for each in segments if each.comparison is not None]
    enough = {each.segment for each in tested if each.comparison is not None and not each.comparison.too_few}
    few = [name for name in _sizes(tested) if name not in enough]
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
