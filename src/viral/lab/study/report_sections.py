"""Rows of a study as sections of a report: what an ablation and a comparison have in common."""

from collections.abc import Mapping, Sequence

from viral.base.language import _, n_
from viral.lab.report import Estimate, Ranking, RankingRow, Sweep, SweepPoint, Table
from viral.lab.report.wording import DASH, fixed, percent
from viral.lab.study.result_files import mean
from viral.lab.study.rows import Row
from viral.lab.study.statistics import Interval

HIGHER, LOWER = "▲", "▼"
SIGNIFICANT = 0.05


def estimate(interval: Interval) -> Estimate:
    """An interval as the report shows it."""
    return Estimate(interval.mean, interval.low, interval.high, interval.values if interval.few else ())


def bootstrapped() -> str:
    """What the whiskers of differences are."""
    return _(
        "Whiskers are 95 % bootstrap intervals over users. A p stands where it is below 0.05 after Holm's correction."
    )


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


def ranking(
    rows: Sequence[Row],
    *,
    heading: str,
    metric: str,
    reference: str,
    facts: Mapping[str, str],
    seeds: Sequence[int],
    users: int | None,
    intro: str = "",
    notes: Sequence[str] = (),
    one_group: bool = False,
) -> Ranking:
    """The rows with means, intervals, marks of significance and each one's budget, with its group unless it is one.

    ``facts`` has the ``command``, the ``data`` and the ``commit`` that the table is signed with.
    """
    return Ranking(
        heading=heading,
        rows=tuple(_ranking_row(row, metric, reference, "" if one_group else row.group) for row in rows),
        command=facts["command"],
        data=facts["data"],
        commit=facts["commit"],
        seeds=tuple(seeds),
        users=users,
        chart_metric=metric,
        mark_legend=_legend(metric, reference),
        intro=intro,
        notes=(
            _(
                "Budget: epochs and time are means for one seed; the time is that of building the model, training and"
                " validation. Validation chose each epoch, the test set was ranked once for each seed; items taken in"
                " train are masked (the published protocol)."
            ),
            *notes,
        ),
    )


def _legend(metric: str, reference: str) -> tuple[tuple[str, str], ...]:
    higher = _(
        "higher than %(reference)s in %(metric)s: paired test over users, Holm-corrected p < %(level)s",
        reference=reference, metric=metric, level=SIGNIFICANT,
    )  # fmt: skip
    return ((HIGHER, higher), (LOWER, _("lower than %(reference)s, likewise", reference=reference)))


def _ranking_row(row: Row, metric: str, reference: str, group: str) -> RankingRow:
    mark = ""
    if row.comparison is not None and row.comparison.p_holm < SIGNIFICANT:
        mark = HIGHER if row.comparison.test.difference > 0 else LOWER
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


def tests_table(rows: Sequence[Row], *, metric: str, reference: str) -> Table:
    """Every row against the reference, user by user."""
    lines, shown = [], set[str]()
    for row in rows:
        if row.comparison is None or row.model_key in shown:
            continue
        shown.add(row.model_key)
        test = row.comparison.test
        lines.append(
            (
                row.name,
                fixed(test.difference, signed=True),
                _("%(low)s to %(high)s", low=fixed(test.low, signed=True), high=fixed(test.high, signed=True)),
                percent(row.comparison.relative, signed=True),
                f"{test.p_value:.2g}",
                f"{row.comparison.p_holm:.2g}",
                fixed(row.comparison.effect, 3, signed=True),
                f"{test.wins:,} / {test.ties:,} / {test.losses:,}",
            )
        )
    columns = (_("row"), _("difference"), _("95 % over users"), _("relative"), _("p"), _("p (Holm)"), _("effect d"),
               _("wins / ties / losses"))  # fmt: skip
    return Table(
        heading=_("Against %(reference)s, user by user", reference=reference),
        columns=columns,
        rows=tuple(lines),
        numeric=columns[1:],
        caption=_(
            "%(metric)s of each user, averaged over the seeds, minus that of %(reference)s: sign-flip randomisation"
            " test (10,000 rounds), bootstrap interval over users, Holm's correction over these %(rows)s rows, and"
            " Cohen's d of paired values. A win is a user for whom the row is better.",
            metric=metric,
            reference=reference,
            rows=len(lines),
        ),
        intro=_(
            "The test asks whether the users differ for these trainings; whether another training would tell the same"
            " is what the intervals over seeds are for."
        ),
    )


def sweep(
    rows: Sequence[Row], *, heading: str, parameter: str, metric: str, reference: Row | None, intro: str
) -> Sweep:
    """One study's rows along its parameter; the value that the reference has is highlighted."""
    ordered = sorted((row for row in rows if row.place is not None), key=lambda row: row.place or 0.0)
    return Sweep(
        heading=heading,
        parameter=parameter,
        quantity=metric,
        points=tuple(
            SweepPoint(
                label=f"{row.place:g}",
                value=estimate(row.metrics[metric]),
                highlight=reference is not None and row.model_key == reference.model_key,
            )
            for row in ordered
        ),
        caption=n_(
            "The mean of %(number)s seed.",
            "Means over %(number)s seeds.",
            max((len(row.seeds) for row in ordered), default=0),
        )
        + (
            " " + _("The ringed value is that of %(reference)s.", reference=reference.name)
            if reference is not None
            else ""
        ),
        intro=intro,
    )


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
