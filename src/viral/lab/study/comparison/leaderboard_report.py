"""A comparison's report, and the sections that its page in the browser has as well."""

from viral.base.language import _, n_
from viral.lab.report import Notes, Report, Section, Table, Tradeoff, TradeoffPoint
from viral.lab.report.wording import DASH, duration, fixed, percent, whole
from viral.lab.study import report_sections
from viral.lab.study.comparison import segment_tables
from viral.lab.study.comparison.leaderboard import Leaderboard
from viral.lab.study.comparison.published_numbers import published_section
from viral.lab.study.report_sections import HIGHER, LOWER, mark_of
from viral.lab.study.training_rows import CLOSED_FORM, mean


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
        popularity(result),
        *report_sections.learning_curves(result),
        _tradeoff(result),
        cost(result),
        budget(result),
        *([published_section(theirs, result.rows, result.unlike)] if theirs is not None else []),
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


def popularity(result: Leaderboard) -> Table:
    """What is shown, and how much of the catalogue."""
    rows = tuple(
        (
            row.name,
            fixed(row.mean("popularity@20"), 1),
            fixed(row.mean("popularity_bias@20"), 2),
            percent(row.mean("coverage@20")),
        )
        for row in result.rows
    )
    columns = (_("model"), "popularity@20", _("over what was chosen"), "coverage@20")
    said = [_("Popularity is the mean number of training interactions of the items in users' first 20 places.")]
    if result.held_out_popularity:
        wanted = fixed(result.held_out_popularity, 1)
        said.append(_("That of the items that users chose in the test set is %(wanted)s.", wanted=wanted))
    said.append(
        _(
            "Above 1 over what was chosen, a model shows more popular things than its users choose. Coverage is the"
            " share of items that at least one user is shown."
        )
    )
    return Table(
        heading=_("Popularity bias"),
        columns=columns,
        rows=rows,
        numeric=columns[1:],
        caption=" ".join(said),
    )


def cost(result: Leaderboard) -> Table:
    """Time, parameters and memory of one seed."""
    known = any(row.memory for row in result.rows)
    said = _("Means for one seed; memory is the greatest of the seeds, of a whole process with its libraries.")
    rows = tuple(
        (
            row.name,
            duration(mean(row.epoch_seconds)) if row.trained else DASH,
            duration(mean(row.seconds)),
            whole(row.parameters),
            f"{max(row.memory) / 2**20:,.0f} MiB" if row.memory else DASH,
        )
        for row in result.rows
    )
    columns = (_("model"), _("an epoch"), _("whole training"), _("parameters"), _("peak memory"))
    return Table(
        heading=_("Cost"),
        columns=columns,
        rows=rows,
        numeric=columns[1:],
        caption=said if known else f"{said} {_('It is not known here: several cells shared a process.')}",
    )


def budget(result: Leaderboard) -> Table:
    """What each row was allowed, what it used, and what choosing its hyper-parameters cost."""
    rows = []
    for row in result.rows:
        effort = result.tuning.get(row.name)
        rows.append(
            (
                row.name,
                whole(row.max_epochs) if row.trained else _(CLOSED_FORM),
                fixed(mean(row.epochs), 0) if row.trained else DASH,
                whole(row.patience) if row.trained else DASH,
                _("%(part)s of %(whole)s", part=row.capped, whole=len(row.stopped))
                if row.trained and row.stopped
                else DASH,
                whole(effort.trials) if effort else DASH,
                whole(effort.epochs) if effort else DASH,
                duration(effort.seconds) if effort else DASH,
            )
        )
    columns = (_("model"), _("epochs allowed"), _("used"), _("patience"), _("seeds at the limit"), _("tuning trials"),
               _("tuning epochs"), _("tuning time"))  # fmt: skip
    return Table(
        heading=_("Budget"),
        columns=columns,
        rows=tuple(rows),
        numeric=columns[1:],
        caption=_(
            "Epochs used are means over the seeds; training ends after more than “patience” evaluations without a"
            " better one on validation, or at the limit. Tuning is the study that chose a row's hyper-parameters; a"
            " dash: none beside its recipe."
        ),
    )
