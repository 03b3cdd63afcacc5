"""The ablation's report."""

from collections.abc import Sequence

from viral.experiment import sections
from viral.experiment.ablation import Ablation
from viral.experiment.analysis import Row, find_row
from viral.experiment.run import remedy
from viral.experiment.studies import FULL, TEXT_ONLY, TITLE_ONLY, VISUAL_ONLY
from viral.provenance import commit
from viral.report import Bar, BarChart, Notes, Report, Section
from viral.report.wording import duration, fixed, percent


def ablation_report(result: Ablation) -> Report:
    """The whole study as one page."""
    counts = result.dataset.manifest["counts"]
    return Report(
        title=f"VIRAL taken apart on {result.dataset.path.name}",
        subtitle="Each row is the full model with one thing changed, trained and measured in the same way.",
        lede=_finding(result),
        facts=(
            ("users", f"{counts['users']:,}"),
            ("items", f"{counts['items']:,}"),
            ("interactions", f"{counts['interactions']:,}"),
            ("seeds", ", ".join(map(str, result.seeds))),
            ("rows", str(len(result.rows))),
            ("training time", duration(sum(sum(row.seconds) for row in _distinct(result.rows)))),
        ),
        sections=(
            _ranking(result),
            _questions(result),
            *_modalities(result),
            *_sweeps(result),
            _tests(result),
            _notes(result),
        ),
    )


def _distinct(rows: Sequence[Row]) -> list[Row]:
    """Without the rows that are another one under a second name."""
    return list({row.model_key: row for row in reversed(rows)}.values())


def _finding(result: Ablation) -> str:
    full = find_row(result.rows, FULL)
    if full is None:
        return "The full model has no result."
    compared = {row.model_key: row.comparison for row in result.rows if row.comparison is not None}.values()
    significant = [c.test.difference for c in compared if c.p_holm < sections.SIGNIFICANT]
    worse, better = sum(d < 0 for d in significant), sum(d > 0 for d in significant)
    said = (
        f"The full model has a {result.metric} of {fixed(full.metrics[result.metric].mean)}. Of {len(compared)} rows"
        f" compared with it, {worse} are lower and {better} higher beyond luck over users (Holm-corrected)."
    )
    if TEXT_ONLY in result.contributions:
        gain = result.contributions[TEXT_ONLY].mean
        said += f" The picture's words add {percent(gain, signed=True)} to the text alone"
        if TITLE_ONLY in result.contributions:
            said += f", and {percent(result.contributions[TITLE_ONLY].mean, signed=True)} to the title-only control"
        said += "."
    return said


def _ranking(result: Ablation) -> Section:
    counts = result.dataset.manifest["counts"]
    parts = " / ".join(f"{counts[name]:,}" for name in ("train", "valid", "test") if name in counts)
    swept = {study.name for study in result.studies if study.parameter}
    return sections.ranking(
        [row for row in result.rows if row.group not in swept],
        heading="The rows",
        metric=result.metric,
        reference=FULL,
        facts={
            "command": result.command,
            "data": f"{result.dataset.path.name} ({parts} train / valid / test)" if parts else result.dataset.path.name,
            "commit": commit(),
        },
        seeds=result.seeds,
        users=result.users,
        intro="Each row is the full model but for what its name says; beneath it stands the study that it is of.",
        notes=(
            "No row was tuned for itself, and LightGCN and Popularity are anchors at their defaults, not competitors.",
        ),
    )


def _questions(result: Ablation) -> Section:
    asked = tuple(f"{study.name}: {study.question}" for study in result.studies if not study.parameter)
    return Notes(heading="What each study asks", notes=asked)


def _modalities(result: Ablation) -> list[Section]:
    bars = [
        Bar(label=f"full against {name}", value=sections.estimate(interval), highlight=name == TEXT_ONLY)
        for name, interval in result.contributions.items()
    ]
    made: list[Section] = []
    if bars:
        made.append(
            BarChart(
                heading="What the picture adds",
                bars=tuple(bars),
                quantity=f"(full - control) / control in {result.metric}",
                percent=True,
                signed=True,
                caption="For each seed, then mean and 95 % interval over seeds.",
                intro="Against the text alone, the gain is that of a second branch, the title in it and the words about"
                " the picture. Against the title-only control, it is that of the words about the picture.",
            )
        )
    if result.shares:
        made.append(
            BarChart(
                heading="Shares of text and visual",
                bars=tuple(Bar(label=name, value=sections.estimate(i)) for name, i in result.shares.items()),
                quantity=f"share of what is lost in {result.metric}",
                percent=True,
                caption=f"What is lost when a modality is removed (full less “{VISUAL_ONLY}” is the text's, full less"
                f" “{TEXT_ONLY}” the visual one's, at least 0), over the sum of both; for each seed, then mean and"
                " interval. Seeds at which no removal does harm are left out.",
                intro="What both modalities tell is in neither loss, what only both together tell is in both: these are"
                " shares of what cannot be replaced, not of information.",
            )
        )
    return made


def _sweeps(result: Ablation) -> list[Section]:
    full = find_row(result.rows, FULL)
    return [
        sections.sweep(
            [row for row in result.rows if row.group == study.name],
            heading=study.title,
            parameter=study.parameter,
            metric=result.metric,
            reference=full,
            intro=study.question,
        )
        for study in result.studies
        if study.parameter
    ]


def _tests(result: Ablation) -> Section:
    return sections.tests_table(result.rows, metric=result.metric, reference=FULL)


def _notes(result: Ablation) -> Section:
    made = [f"The features: {', '.join(f'{name} by {encoder}' for name, encoder in result.origins.items())}."]
    made += [
        f"Left out: “{row.name}” needs the features {row.modality!r}; `{remedy(row.modality, 'DATASET')}` makes them."
        for row in result.left_out
    ]
    made += [f"Failed: {failure}" for failure in result.failures]
    made += sections.code_notes(result.rows)
    if len(result.seeds) < 3:
        made.append("Fewer than three seeds: intervals over seeds say little or are absent.")
    return Notes(heading="What to keep in mind", notes=tuple(made))
