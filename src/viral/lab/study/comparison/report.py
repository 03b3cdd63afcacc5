"""The comparison's report."""

from collections.abc import Sequence

from viral.base.language import _, n_
from viral.base.provenance import commit
from viral.lab.report import Bar, BarChart, Curves, Estimate, Notes, Report, Section, Tradeoff, TradeoffPoint
from viral.lab.report.wording import duration, fixed
from viral.lab.study import report_sections as sections
from viral.lab.study import result_files as outputs
from viral.lab.study.comparison import cost_tables as tables
from viral.lab.study.comparison import published_tables as beside
from viral.lab.study.comparison import segment_tables
from viral.lab.study.comparison.compare import Leaderboard
from viral.lab.study.rows import Row

MOST_CURVES = 8  # that can be told apart in one chart


def leaderboard_report(result: Leaderboard) -> Report:
    """The comparison as one page."""
    counts = result.dataset.manifest["counts"]
    return Report(
        title=_("Models on %(data)s", data=result.dataset.path.name),
        subtitle=_("The same split, inputs and protocol for all; validation chose each epoch, the test set came last."),
        lede=finding(result),
        facts=(
            (_("users"), f"{counts['users']:,}"),
            (_("items"), f"{counts['items']:,}"),
            (_("interactions"), f"{counts['interactions']:,}"),
            (_("seeds"), ", ".join(map(str, result.seeds))),
            (_("rows"), str(len(result.rows))),
            (_("training time"), duration(sum(sum(row.seconds) for row in result.rows))),
        ),
        ours=ours(result.rows),
        sections=(
            sections.ranking(
                result.rows,
                heading=_("Leaderboard"),
                metric=result.metric,
                reference=result.reference,
                facts={"command": result.command, "data": result.dataset.path.name, "commit": commit()},
                seeds=result.seeds,
                users=result.users,
                one_group=True,
            ),
            _differences(result),
            tables.tests(result),
            *_segments(result),
            tables.popularity(result),
            *_curves(result),
            _tradeoff(result),
            tables.cost(result),
            tables.budget(result),
            *_published(result),
            _notes(result),
        ),
    )


def ours(rows: Sequence[Row]) -> tuple[str, ...]:
    """The rows that are VIRAL, whatever their names."""
    return tuple(row.name for row in rows if row.model == "viral")


def finding(result: Leaderboard) -> str:
    """The leaderboard in a sentence or two: who is first, and whether that is more than luck."""
    first = result.rows[0]
    if not first.seeds:
        return _("No row has a result.")
    said = _(
        "%(row)s has the greatest %(metric)s, %(value)s.",
        row=first.name, metric=result.metric, value=fixed(first.metrics[result.metric].mean),
    )  # fmt: skip
    tested = [row for row in result.rows if row.comparison is not None]
    better, worse = (_names(tested, sign) for sign in (1, -1))
    if not tested:
        return f"{said} {_('Nothing was tested.')}"
    what = _("the best baseline on validation") if result.chosen else _("the row tested against")
    return f"{said} " + n_(
        "Beyond luck over users (Holm-corrected), %(better)s is better than %(reference)s, %(what)s, and %(worse)s of"
        " %(tested)s are worse.",
        "Beyond luck over users (Holm-corrected), %(better)s are better than %(reference)s, %(what)s, and %(worse)s of"
        " %(tested)s are worse.",
        max(1, len(better)),
        better=", ".join(better) or _("no row"), reference=result.reference, what=what, worse=len(worse),
        tested=len(tested),
    )  # fmt: skip


def _names(rows: list[Row], sign: int) -> list[str]:
    return [
        row.name
        for row in rows
        if row.comparison is not None
        and row.comparison.p_holm < sections.SIGNIFICANT
        and sign * row.comparison.test.difference > 0
    ]


def _differences(result: Leaderboard) -> Section:
    bars, shown = [], set[str]()
    for row in result.rows:
        if row.comparison is not None and row.model_key not in shown:
            shown.add(row.model_key)
            test, p = row.comparison.test, row.comparison.p_holm
            note = "" if p >= sections.SIGNIFICANT else f"p {p:.2g}"
            bars.append(Bar(label=row.name, value=Estimate(test.difference, test.low, test.high), note=note))
    return BarChart(
        heading=_("Difference from %(reference)s", reference=result.reference),
        bars=tuple(bars),
        quantity=_("%(metric)s, minus that of %(reference)s", metric=result.metric, reference=result.reference),
        signed=True,
        models=True,
        caption=sections.bootstrapped(),
    )


def _published(result: Leaderboard) -> list[Section]:
    return [beside.section(result.published, result.rows, result.unlike)] if result.published is not None else []


def _segments(result: Leaderboard) -> list[Section]:
    if not result.segments:
        return []
    return [segment_tables.section(result.segments, result.rows, result.metric, result.reference)]


def _curves(result: Leaderboard) -> list[Section]:
    """Of the best rows: more lines than can be told apart would tell nothing."""
    places = {row.name: place for place, row in enumerate(result.rows)}
    curves = sorted(result.curves, key=lambda curve: places[curve.model])[:MOST_CURVES]
    if not curves:
        return []
    intro = _("Seed %(seed)s of each row that is trained in epochs.", seed=result.seeds[0])
    if len(result.curves) > len(curves):
        intro += " " + _("The best %(part)s of %(whole)s.", part=len(curves), whole=len(result.curves))
    return [
        Curves(
            heading=_("Learning curves"),
            curves=tuple(curves),
            metric=result.metric,
            intro=intro,
        )
    ]


def _tradeoff(result: Leaderboard) -> Section:
    return Tradeoff(
        heading=_("Accuracy against time"),
        points=tuple(
            TradeoffPoint(
                label=row.name,
                seconds=outputs.mean(row.seconds),
                value=sections.estimate(row.metrics[result.metric]),
            )
            for row in result.rows
        ),
        quantity=result.metric,
        cost=_("time of one training, with building and validation"),
        caption=_("Times are of the machine that ran it and of what else it did."),
    )


def _notes(result: Leaderboard) -> Section:
    how = _("the best baseline on validation") if result.chosen else _("named by the command")
    made = [
        _("The tests are against %(reference)s, %(how)s.", reference=result.reference, how=how),
        *_fairness(result),
        *segment_tables.findings(result.segments, result.reference),
        *sections.code_notes(result.rows),
        *(_("Failed: %(failure)s", failure=failure) for failure in result.failures),
    ]
    return Notes(heading=_("What to keep in mind"), notes=tuple(made))


def _fairness(result: Leaderboard) -> list[str]:
    trained = [row for row in result.rows if tables.trained(row)]
    said = []
    if len({(row.max_epochs, row.patience) for row in trained}) > 1:
        said.append(_("The rows were not allowed the same epochs or patience: see the budget."))
    if capped := [row.name for row in trained if tables.capped(row)]:
        said.append(
            _("Ended by the limit of epochs, so that more might have helped: %(rows)s.", rows=", ".join(capped))
        )
    trials = {result.tuning[row.name].trials if row.name in result.tuning else None for row in result.rows}
    if trials == {None}:
        return [*said, _("The rows are recipes as they were given: equal effort of tuning is the reader's to check.")]
    if len(trials) == 1:
        return [*said, _("Each row was tuned on validation in %(trials)s trials.", trials=trials.pop())]
    return [*said, _("The rows were not tuned with the same effort: see the budget.")]
