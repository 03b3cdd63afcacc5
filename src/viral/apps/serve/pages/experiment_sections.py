"""What the page of a study or a run shows, as sections of :mod:`viral.lab.report`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from viral.apps.serve.pages.experiment_cells import curve, kept_cells, of_row, summary_of
from viral.apps.serve.pages.experiment_files import Found, settings_text
from viral.base.language import _
from viral.lab.report import Bar, BarChart, Curves, Estimate, Grid, Notes, Section, Table
from viral.lab.report.grid import GridCell, GridRow
from viral.lab.report.wording import DASH, duration, fixed, percent, whole
from viral.lab.study import report_sections as sections
from viral.lab.study.ablation.groups import FULL, STUDIES
from viral.lab.study.comparison.report import MOST_CURVES
from viral.lab.study.result_files import mean
from viral.lab.study.rows import USER_METRICS, Row, find_row
from viral.lab.study.statistics import read_interval

METRIC = "recall@20"


def metric_of(found: Found) -> str:
    """The metric that the study tested."""
    metric = str(found.document.get("metric", METRIC))
    return metric if metric in USER_METRICS else METRIC


def comparison(found: Found) -> list[Section | None]:
    """Leaderboard, tests, curves, cost."""
    rows, metric = found.rows, metric_of(found)
    reference = str(found.document.get("reference", ""))
    return [
        _ranking(found, rows, _("Leaderboard"), one_group=True),
        _differences(rows, metric, reference),
        sections.tests_table(rows, metric=metric, reference=reference) if _tested(rows) else None,
        curves(found, rows, metric),
        _cost(rows),
        _notes(found),
    ]


def ablation(found: Found) -> list[Section | None]:
    """The matrix of what each row changes, bars by metric, sweeps, tests."""
    rows, metric = found.rows, metric_of(found)
    swept = {name for name, study in STUDIES.items() if study.parameter}
    plain = [row for row in rows if row.group not in swept]
    full = find_row(rows, FULL)
    return [
        matrix(plain, metric),
        _grid(plain, metric),
        *_sweeps(rows, metric, full),
        _contributions(found, metric),
        sections.tests_table(rows, metric=metric, reference=FULL) if _tested(rows) else None,
        curves(found, plain, metric),
        _notes(found),
    ]


def _ranking(found: Found, rows: Sequence[Row], heading: str, *, one_group: bool) -> Section:
    document = found.document
    seeds = tuple(dict.fromkeys(seed for row in rows for seed in row.seeds))
    users = document.get("users")
    return sections.ranking(
        rows,
        heading=heading,
        metric=metric_of(found),
        reference=str(document.get("reference", "")),
        facts={
            "command": str(document.get("command", "")), "data": found.data, "commit": str(document.get("commit", "")),
        },
        seeds=seeds,
        users=int(users) if isinstance(users, int) else None,
        one_group=one_group,
    )  # fmt: skip


def _tested(rows: Sequence[Row]) -> bool:
    return any(row.comparison is not None for row in rows)


def _differences(rows: Sequence[Row], metric: str, reference: str) -> Section | None:
    bars = []
    for row in {row.model_key: row for row in reversed(rows)}.values():
        if row.comparison is not None:
            test, p = row.comparison.test, row.comparison.p_holm
            note = f"p {p:.2g}" if p < sections.SIGNIFICANT else ""
            bars.append(Bar(label=row.name, value=Estimate(test.difference, test.low, test.high), note=note))
    if not bars:
        return None
    return BarChart(
        heading=_("Difference from %(reference)s", reference=reference),
        bars=tuple(reversed(bars)),
        quantity=_("%(metric)s, minus that of %(reference)s", metric=metric, reference=reference),
        signed=True,
        models=True,
        caption=sections.bootstrapped(),
    )


def matrix(rows: Sequence[Row], metric: str) -> Section | None:
    """What each row changes in the full model, setting by setting, and what comes of it."""
    variants = {(study.name, variant.name): variant for study in STUDIES.values() for variant in study.variants}
    settings: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        variant = variants.get((row.group, row.name))
        changed = dict(variant.settings) if variant is not None else {}
        settings[row.name] = changed | ({"model": row.model} if row.model != "viral" else {})
    names = list(dict.fromkeys(name for changed in settings.values() for name in changed))
    if not rows:
        return None
    against = _("against the full model")
    columns = (_("row"), metric, against, *names)
    return Table(
        heading=_("Ablation matrix"),
        columns=columns,
        rows=tuple(
            (
                row.name,
                fixed(row.metrics[metric].mean) if metric in row.metrics else DASH,
                _change(row),
                *("" if name not in settings[row.name] else settings_text(settings[row.name][name]) for name in names),
            )
            for row in rows
        ),
        numeric=(metric, against),
        notes=tuple(row.group for row in rows),
        highlight=frozenset(place for place, row in enumerate(rows) if row.name == FULL),
        caption=_(
            "An empty cell: as in the full model. %(higher)s and %(lower)s: higher and lower beyond luck over users"
            " (paired test, Holm-corrected p < 0.05).",
            higher=sections.HIGHER,
            lower=sections.LOWER,
        ),
    )


def _change(row: Row) -> str:
    if row.comparison is None:
        return DASH
    mark = ""
    if row.comparison.p_holm < sections.SIGNIFICANT:
        mark = f" {sections.HIGHER if row.comparison.test.difference > 0 else sections.LOWER}"
    return f"{percent(row.comparison.relative, signed=True)}{mark}"


def _grid(rows: Sequence[Row], metric: str) -> Section:
    names = [name for name in (*USER_METRICS, "coverage@20") if all(name in row.metrics for row in rows)]
    return Grid(
        heading=_("The rows by metric"),
        columns=tuple((name, _("tested") if name == metric else "") for name in names),
        rows=tuple(
            GridRow(
                label=row.name,
                cells=tuple(GridCell(value=sections.estimate(row.metrics[name])) for name in names),
                highlight=row.name == FULL,
            )
            for row in rows
            if row.seeds
        ),
        caption=_("Means over the seeds; each column has its own scale, from zero."),
    )


def _sweeps(rows: Sequence[Row], metric: str, full: Row | None) -> Iterator[Section]:
    for study in STUDIES.values():
        those = [row for row in rows if row.group == study.name and row.seeds]
        if study.parameter and those:
            yield sections.sweep(
                those, heading=_(study.title), parameter=study.parameter, metric=metric, reference=full,
                intro=_(study.question),
            )  # fmt: skip


def _contributions(found: Found, metric: str) -> Section | None:
    said = found.document.get("visual_contribution")
    bars = [
        Bar(label=_("full against %(row)s", row=name), value=sections.estimate(read_interval(one)))
        for name, one in (said.items() if isinstance(said, Mapping) else ())
        if isinstance(one, Mapping) and isinstance(one.get("mean"), float)
    ]
    if not bars:
        return None
    return BarChart(
        heading=_("What the picture adds"),
        bars=tuple(bars),
        quantity=_("(full - control) / control in %(metric)s", metric=metric),
        percent=True,
        signed=True,
        caption=sections.over_seeds(),
    )


def curves(found: Found, rows: Sequence[Row], metric: str) -> Section | None:
    """The first seed of the best rows."""
    trained = kept_cells(found)
    made = []
    best = sorted((row for row in rows if row.seeds), key=lambda row: -row.metrics[metric].mean)
    for row in best:
        for cell in of_row(trained, row)[:1]:
            one = curve(row.name, summary_of(cell), metric)
            made += [one] if one is not None else []
    if not made:
        return None
    intro = _(
        "The first seed of the best %(part)s of %(whole)s rows that are trained in epochs.",
        part=min(len(made), MOST_CURVES), whole=len(made),
    )  # fmt: skip
    return Curves(heading=_("Learning curves"), curves=tuple(made[:MOST_CURVES]), metric=metric, intro=intro)


def _cost(rows: Sequence[Row]) -> Section:
    columns = (_("model"), _("epochs"), _("an epoch"), _("whole training"), _("parameters"))
    return Table(
        heading=_("Cost"),
        columns=columns,
        rows=tuple(
            (
                row.name,
                fixed(mean(row.epochs), 0),
                duration(mean(row.epoch_seconds)),
                duration(mean(row.seconds)),
                whole(row.parameters),
            )
            for row in rows
        ),
        numeric=columns[1:],
        caption=_("Means for one seed."),
    )


def _notes(found: Found) -> Section | None:
    failures = found.document.get("failures")
    told = [_("Failed: %(failure)s", failure=failure) for failure in failures] if isinstance(failures, list) else []
    return Notes(heading=_("What to keep in mind"), notes=tuple(told)) if told else None
