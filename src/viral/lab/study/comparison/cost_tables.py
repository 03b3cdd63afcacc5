"""What the rows of a comparison show and cost, as tables of the report and of LaTeX."""

from viral.base.language import _
from viral.lab.report import Table
from viral.lab.report.wording import DASH, duration, fixed, percent, whole
from viral.lab.study.comparison.leaderboard import Leaderboard
from viral.lab.study.training_rows import CLOSED_FORM, mean


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
