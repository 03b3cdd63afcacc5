"""A comparison's report, and the sections that its page in the browser has as well."""

from viral.base.language import _, n_
from viral.lab.report import Notes, Report, Section, Tradeoff, TradeoffPoint
from viral.lab.report.wording import fixed
from viral.lab.study import report_sections
from viral.lab.study.comparison import cost_tables, published_tables, segment_tables
from viral.lab.study.comparison.leaderboard import Leaderboard
from viral.lab.study.report_sections import HIGHER, LOWER, mark_of
from viral.lab.study.training_rows import mean


def leaderboard_report(result: Leaderboard) -> Report:
    """The comparison as one page."""
    return report_sections.report(
        result,
        _("Models on %(data)s", data=result.data),
        _("The same split, inputs and protocol for all; validation chose each epoch, the test set came last."),
        leaderboard_sections(result),
        seconds=sum(sum(row.seconds) for row in result.rows),
        lede=finding(result),
    )


def leaderboard_sections(result: Leaderboard) -> list[Section]:
    """The leaderboard, its tests, whom the rows serve, what they show, and what they cost."""
    theirs = result.published
    tested = any(row.comparison is not None for row in result.rows)
    return [
        report_sections.ranking(result, result.rows, heading=_("Leaderboard"), data=result.data, one_group=True),
        *([report_sections.differences(result)] if tested else []),
        *([report_sections.tests_table(result)] if tested else []),
        *([segment_tables.section(result)] if result.segments else []),
        cost_tables.popularity(result),
        *report_sections.learning_curves(result),
        _tradeoff(result),
        cost_tables.cost(result),
        cost_tables.budget(result),
        *([published_tables.section(theirs, result.rows, result.unlike)] if theirs is not None else []),
        _notes(result),
    ]


def finding(result: Leaderboard) -> str:
    """The leaderboard in a sentence or two: who is first, and whether that is more than luck."""
    first = result.rows[0]
    if not first.seeds:
        return _("No row has a result.")
    said = _(
        "%(row)s has the greatest %(metric)s, %(value)s.",
        row=first.name, metric=result.metric, value=fixed(first.mean(result.metric)),
    )  # fmt: skip
    tested = [row for row in result.rows if row.comparison is not None]
    better, worse = ([row.name for row in tested if mark_of(row.comparison) == mark] for mark in (HIGHER, LOWER))
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


def _tradeoff(result: Leaderboard) -> Section:
    points = tuple(
        TradeoffPoint(
            label=row.name, seconds=mean(row.seconds), value=report_sections.estimate(row.metrics[result.metric])
        )
        for row in result.rows
    )
    return Tradeoff(
        heading=_("Accuracy against time"),
        points=points,
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
        *report_sections.code_notes(result.rows),
        *report_sections.failure_notes(result.failures),
    ]
    return Notes(heading=_("What to keep in mind"), notes=tuple(made))


def _fairness(result: Leaderboard) -> list[str]:
    trained = [row for row in result.rows if row.trained]
    said = []
    if len({(row.max_epochs, row.patience) for row in trained}) > 1:
        said.append(_("The rows were not allowed the same epochs or patience: see the budget."))
    if capped := [row.name for row in trained if row.capped]:
        said.append(
            _("Ended by the limit of epochs, so that more might have helped: %(rows)s.", rows=", ".join(capped))
        )
    trials = {result.tuning[row.name].trials if row.name in result.tuning else None for row in result.rows}
    if trials == {None}:
        return [*said, _("The rows are recipes as they were given: equal effort of tuning is the reader's to check.")]
    if len(trials) == 1:
        return [*said, _("Each row was tuned on validation in %(trials)s trials.", trials=trials.pop())]
    return [*said, _("The rows were not tuned with the same effort: see the budget.")]
