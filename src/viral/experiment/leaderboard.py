"""The comparison's report."""

from viral.experiment import outputs, sections, segment_tables, tables
from viral.experiment.analysis import Row
from viral.experiment.comparison import Leaderboard
from viral.experiment.published import beside
from viral.provenance import commit
from viral.report import Bar, BarChart, Curves, Estimate, Notes, Report, Section, Tradeoff, TradeoffPoint
from viral.report.wording import duration, fixed

MOST_CURVES = 8  # that can be told apart in one chart


def leaderboard_report(result: Leaderboard) -> Report:
    """The comparison as one page."""
    counts = result.dataset.manifest["counts"]
    return Report(
        title=f"Models on {result.dataset.path.name}",
        subtitle="The same split, inputs and protocol for all; validation chose each epoch, the test set came last.",
        lede=finding(result),
        facts=(
            ("users", f"{counts['users']:,}"),
            ("items", f"{counts['items']:,}"),
            ("interactions", f"{counts['interactions']:,}"),
            ("seeds", ", ".join(map(str, result.seeds))),
            ("rows", str(len(result.rows))),
            ("training time", duration(sum(sum(row.seconds) for row in result.rows))),
        ),
        sections=(
            sections.ranking(
                result.rows,
                heading="Leaderboard",
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


def finding(result: Leaderboard) -> str:
    """The leaderboard in a sentence or two: who is first, and whether that is more than luck."""
    first = result.rows[0]
    if not first.seeds:
        return "No row has a result."
    said = f"{first.name} has the greatest {result.metric}, {fixed(first.metrics[result.metric].mean)}"
    tested = [row for row in result.rows if row.comparison is not None]
    better, worse = (_names(tested, sign) for sign in (1, -1))
    what = f"{result.reference}, {'the best baseline on validation' if result.chosen else 'the row tested against'}"
    if not tested:
        return f"{said}. Nothing was tested."
    return (
        f"{said}. Beyond luck over users (Holm-corrected), {', '.join(better) if better else 'no row'}"
        f" {'is' if len(better) < 2 else 'are'} better than {what}, and {len(worse)} of {len(tested)} are worse."
    )


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
        heading=f"Difference from {result.reference}",
        bars=tuple(bars),
        quantity=f"{result.metric}, minus that of {result.reference}",
        signed=True,
        caption="Whiskers are 95 % bootstrap intervals over users. A p stands where it is below 0.05 after Holm's"
        " correction.",
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
    left_out = len(result.curves) - len(curves)
    intro = f"Seed {result.seeds[0]} of each row that is trained in epochs"
    return [
        Curves(
            heading="Learning curves",
            curves=tuple(curves),
            metric=result.metric,
            intro=f"{intro}, the best {len(curves)} of {len(result.curves)}." if left_out else f"{intro}.",
        )
    ]


def _tradeoff(result: Leaderboard) -> Section:
    return Tradeoff(
        heading="Accuracy against time",
        points=tuple(
            TradeoffPoint(
                label=row.name,
                seconds=outputs.mean(row.seconds),
                value=sections.estimate(row.metrics[result.metric]),
                highlight=row.name == result.reference,
            )
            for row in result.rows
        ),
        quantity=result.metric,
        cost="time of one training, with building and validation",
        caption="Times are of the machine that ran it and of what else it did.",
    )


def _notes(result: Leaderboard) -> Section:
    how = "the best baseline on validation" if result.chosen else "named by the command"
    made = [
        f"The tests are against {result.reference}, {how}.",
        *_fairness(result),
        *segment_tables.findings(result.segments, result.reference),
        *sections.code_notes(result.rows),
        *(f"Failed: {failure}" for failure in result.failures),
    ]
    return Notes(heading="What to keep in mind", notes=tuple(made))


def _fairness(result: Leaderboard) -> list[str]:
    trained = [row for row in result.rows if tables.trained(row)]
    said = []
    if len({(row.max_epochs, row.patience) for row in trained}) > 1:
        said.append("The rows were not allowed the same epochs or patience: see the budget.")
    if capped := [row.name for row in trained if tables.capped(row)]:
        said.append(f"Ended by the limit of epochs, so that more might have helped: {', '.join(capped)}.")
    trials = {result.tuning[row.name].trials if row.name in result.tuning else None for row in result.rows}
    if trials == {None}:
        return [*said, "The rows are recipes as they were given: equal effort of tuning is the reader's to check."]
    if len(trials) == 1:
        return [*said, f"Each row was tuned on validation in {trials.pop()} trials."]
    return [*said, "The rows were not tuned with the same effort: see the budget."]
