"""A study of trainings as sections of a report: what an ablation and a comparison have in common."""

from collections.abc import Sequence

from viral.base.language import _, n_
from viral.lab.report import (
    Bar,
    BarChart,
    Curves,
    Estimate,
    Ranking,
    RankingRow,
    Report,
    Section,
    Table,
)
from viral.lab.report.wording import DASH, duration, fixed, percent
from viral.lab.study.statistics import SIGNIFICANT, Comparison, Interval
from viral.lab.study.study import RowStudy, TrainingStudy
from viral.lab.study.training_rows import Row, mean

HIGHER, LOWER = "▲", "▼"
MOST_CURVES = 8  # that can be told apart in one chart


def report(
    study: RowStudy, title: str, subtitle: str, sections: Sequence[Section], *, seconds: float, lede: str = ""
) -> Report:
    """The study as one page; its trainings took ``seconds``."""
    counts = study.counts
    return Report(
        title=title,
        subtitle=subtitle,
        lede=lede,
        facts=(
            (_("users"), f"{counts['users']:,}"),
            (_("items"), f"{counts['items']:,}"),
            (_("interactions"), f"{counts['interactions']:,}"),
            (_("seeds"), ", ".join(map(str, study.seeds))),
            (_("rows"), str(len(study.rows))),
            (_("training time"), duration(seconds)),
        ),
        ours=study.ours,
        sections=tuple(sections),
    )


def estimate(interval: Interval) -> Estimate:
    """An interval as the report shows it."""
    return Estimate(interval.mean, interval.low, interval.high, interval.values if interval.few else ())


def over_seeds() -> str:
    """What a number over seeds and its ends are."""
    return _(
        "For each seed, then the mean: with its 95 % interval, or with each of fewer than four seeds, which tell none."
    )


def between(interval: Interval) -> str:
    """The ends of an interval over seeds in words that say what they are."""
    if interval.low is None:
        return DASH
    low, high = fixed(interval.low), fixed(interval.high)
    if interval.few:
        return _("seeds from %(low)s to %(high)s", low=low, high=high)
    return _("95 %% %(low)s to %(high)s", low=low, high=high)


def ends(low: float, high: float, *, places: int = 4, signed: bool = False) -> str:
    """The two ends of an interval over users."""
    return _("%(low)s to %(high)s", low=fixed(low, places, signed=signed), high=fixed(high, places, signed=signed))


def mark_of(comparison: Comparison | None) -> str:
    """Whether a row is higher or lower than the reference beyond luck over users."""
    if comparison is None or not comparison.significant:
        return ""
    return HIGHER if comparison.test.difference > 0 else LOWER


def ranking(
    study: TrainingStudy,
    rows: Sequence[Row],
    *,
    heading: str,
    data: str,
    intro: str = "",
    notes: Sequence[str] = (),
    one_group: bool = False,
) -> Ranking:
    """The rows with means, intervals, marks of significance and each one's budget, with its group unless it is one.

    The table is signed with its command, its ``data`` and the commit.
    """
    metric = study.metric
    higher = _(
        "higher than %(reference)s in %(metric)s: paired test over users, Holm-corrected p < %(level)s",
        reference=study.reference, metric=metric, level=SIGNIFICANT,
    )  # fmt: skip
    lower = _("lower than %(reference)s, likewise", reference=study.reference)
    budget = _(
        "Budget: epochs and time are means for one seed; the time is that of building the model, training and"
        " validation. Validation chose each epoch, the test set was ranked once for each seed; items interacted with in"
        " train are masked (the published protocol)."
    )
    return Ranking(
        heading=heading,
        rows=tuple(_ranking_row(row, metric, study.reference, "" if one_group else row.group) for row in rows),
        command=study.command,
        data=data,
        commit=study.commit,
        seeds=study.seeds,
        users=study.users,
        chart_metric=metric,
        mark_legend=((HIGHER, higher), (LOWER, lower)),
        intro=intro,
        notes=(budget, *notes),
    )


def _ranking_row(row: Row, metric: str, reference: str, group: str) -> RankingRow:
    mark = mark_of(row.comparison)
    return RankingRow(
        model=row.name,
        metrics={name: estimate(interval) for name, interval in row.metrics.items()},
        marks={metric: mark} if mark else {},
        epochs=round(mean(row.epochs)) if row.epochs else None,
        seconds=mean(row.seconds) if row.seconds else None,
        parameters=row.parameters,
        note="; ".join([n_("%(number)s seed", "%(number)s seeds", len(row.seeds)), *row.failures])
        if row.failures
        else group,
        highlight=row.name == reference,
    )


def distinct(rows: Sequence[Row]) -> list[Row]:
    """Without the rows that are another one under a second name."""
    found: dict[str, Row] = {}
    for row in rows:
        found.setdefault(row.model_key, row)
    return list(found.values())


def _tested(study: TrainingStudy) -> list[tuple[Row, Comparison]]:
    """The rows that were compared with the reference, each recipe once."""
    return [(row, row.comparison) for row in distinct(study.rows) if row.comparison is not None]


def differences(study: TrainingStudy) -> BarChart:
    """Every row minus the reference, with intervals over users."""
    bars = [
        Bar(
            label=row.name,
            value=Estimate(compared.test.difference, compared.test.low, compared.test.high),
            note=f"p {compared.p_holm:.2g}" if compared.significant else "",
        )
        for row, compared in _tested(study)
    ]
    return BarChart(
        heading=_("Difference from %(reference)s", reference=study.reference),
        bars=tuple(bars),
        quantity=_("%(metric)s, minus that of %(reference)s", metric=study.metric, reference=study.reference),
        signed=True,
        models=True,
        caption=_(
            "Whiskers are 95 % bootstrap intervals over users. A p stands where it is below 0.05 after Holm's"
            " correction."
        ),
    )


def tests_table(study: TrainingStudy) -> Table:
    """Every row against the reference, user by user."""
    tested = _tested(study)
    columns = (_("row"), _("difference"), _("95 % over users"), _("relative"), _("p"), _("p (Holm)"), _("effect d"),
               _("wins / ties / losses"))  # fmt: skip
    return Table(
        heading=_("Against %(reference)s, user by user", reference=study.reference),
        columns=columns,
        rows=tuple((row.name, *_test_cells(compared)) for row, compared in tested),
        numeric=columns[1:],
        caption=_(
            "%(metric)s of each user, averaged over the seeds, minus that of %(reference)s: sign-flip randomisation"
            " test (10,000 rounds), bootstrap interval over users, Holm's correction over these %(rows)s rows, and"
            " Cohen's d of paired values. A win is a user for whom the row is better.",
            metric=study.metric,
            reference=study.reference,
            rows=len(tested),
        ),
        intro=_(
            "The test asks whether the users differ for these trainings; whether another training would tell the same"
            " is what the intervals over seeds are for."
        ),
    )


def _test_cells(compared: Comparison) -> tuple[str, ...]:
    test = compared.test
    return (
        fixed(test.difference, signed=True),
        ends(test.low, test.high, signed=True),
        percent(compared.relative, signed=True),
        f"{test.p_value:.2g}",
        f"{compared.p_holm:.2g}",
        fixed(compared.effect, 3, signed=True),
        f"{test.wins:,} / {test.ties:,} / {test.losses:,}",
    )


def learning_curves(study: TrainingStudy) -> list[Section]:
    """Of the best rows: more lines than can be told apart would tell nothing."""
    if not study.curves:
        return []
    intro = _("Seed %(seed)s of each row that is trained in epochs.", seed=study.seeds[0])
    if len(study.curves) > MOST_CURVES:
        intro += " " + _("The best %(part)s of %(whole)s.", part=MOST_CURVES, whole=len(study.curves))
    curves = study.curves[:MOST_CURVES]
    return [Curves(heading=_("Learning curves"), curves=curves, metric=study.metric, intro=intro)]


def failure_notes(failures: Sequence[str]) -> list[str]:
    """What failed, and why."""
    return [_("Failed: %(failure)s", failure=failure) for failure in failures]


def code_notes(rows: Sequence[Row]) -> list[str]:
    """Whether the cells are of one code and of the present one, where that is to be said."""
    commits = sorted({name for row in rows for name in row.commits})
    said = []
    if len(commits) > 1:
        said.append(
            _("The cells were computed by several versions of the code: %(commits)s.", commits=", ".join(commits))
        )
    if changed := [row.name for row in rows if row.code_changed]:
        said.append(
            _(
                "The code that trains and measures these rows has changed since their cells were computed (--renew"
                " computes them anew): %(rows)s.",
                rows=", ".join(changed),
            )
        )
    if unknown := [row.name for row in rows if row.code_changed is None and row.seeds]:
        said.append(_("Computed by a version that did not note its code: %(rows)s.", rows=", ".join(unknown)))
    return said
