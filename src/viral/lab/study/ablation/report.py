"""The ablation's report."""

from collections.abc import Sequence

from viral.base.language import _, marked, n_
from viral.base.provenance import commit
from viral.lab.report import Bar, BarChart, Notes, Report, Section
from viral.lab.report.wording import duration, fixed, percent
from viral.lab.study import report_sections as sections
from viral.lab.study.ablation.ablate import Ablation
from viral.lab.study.ablation.groups import FULL, TEXT_ONLY, TITLE_ONLY, VISUAL_ONLY
from viral.lab.study.rows import Row, find_row
from viral.lab.study.runner import remedy
from viral.lab.study.statistics import ENOUGH

SIDES = {"text": marked("text"), "visual": marked("visual")}


def ablation_report(result: Ablation) -> Report:
    """The whole study as one page."""
    counts = result.dataset.manifest["counts"]
    return Report(
        title=_("VIRAL taken apart on %(data)s", data=result.dataset.path.name),
        subtitle=_("Each row is the full model with one thing changed, trained and measured in the same way."),
        lede=_finding(result),
        facts=(
            (_("users"), f"{counts['users']:,}"),
            (_("items"), f"{counts['items']:,}"),
            (_("interactions"), f"{counts['interactions']:,}"),
            (_("seeds"), ", ".join(map(str, result.seeds))),
            (_("rows"), str(len(result.rows))),
            (_("training time"), duration(sum(sum(row.seconds) for row in _distinct(result.rows)))),
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
        return _("The full model has no result.")
    compared = {row.model_key: row.comparison for row in result.rows if row.comparison is not None}.values()
    significant = [c.test.difference for c in compared if c.p_holm < sections.SIGNIFICANT]
    worse, better = sum(d < 0 for d in significant), sum(d > 0 for d in significant)
    said = [
        _(
            "The full model has a %(metric)s of %(value)s. Of %(rows)s rows compared with it, %(worse)s are lower and"
            " %(better)s higher beyond luck over users (Holm-corrected).",
            metric=result.metric, value=fixed(full.metrics[result.metric].mean), rows=len(compared), worse=worse,
            better=better,
        )
    ]  # fmt: skip
    if TEXT_ONLY in result.contributions:
        gain = percent(result.contributions[TEXT_ONLY].mean, signed=True)
        said.append(_("The picture's words add %(gain)s to the text alone.", gain=gain))
    if TITLE_ONLY in result.contributions:
        gain = percent(result.contributions[TITLE_ONLY].mean, signed=True)
        said.append(_("They add %(gain)s to the title-only control.", gain=gain))
    return " ".join(said)


def _ranking(result: Ablation) -> Section:
    counts = result.dataset.manifest["counts"]
    parts = " / ".join(f"{counts[name]:,}" for name in ("train", "valid", "test") if name in counts)
    swept = {study.name for study in result.studies if study.parameter}
    return sections.ranking(
        [row for row in result.rows if row.group not in swept],
        heading=_("The rows"),
        metric=result.metric,
        reference=FULL,
        facts={
            "command": result.command,
            "data": f"{result.dataset.path.name} ({parts} {_('train / valid / test')})"
            if parts
            else result.dataset.path.name,
            "commit": commit(),
        },
        seeds=result.seeds,
        users=result.users,
        intro=_("Each row is the full model but for what its name says; beneath it stands the study that it is of."),
        notes=(
            _(
                "No row was tuned for itself, and LightGCN and Popularity are anchors at their defaults, not"
                " competitors."
            ),
        ),
    )


def _questions(result: Ablation) -> Section:
    asked = tuple(f"{study.name}: {_(study.question)}" for study in result.studies if not study.parameter)
    return Notes(heading=_("What each study asks"), notes=asked)


def _modalities(result: Ablation) -> list[Section]:
    return [*([_gains(result)] if result.contributions else []), *([_shares(result)] if result.shares else [])]


def _gains(result: Ablation) -> BarChart:
    bars = [
        Bar(label=_("full against %(row)s", row=name), value=sections.estimate(interval), highlight=name == TEXT_ONLY)
        for name, interval in result.contributions.items()
    ]
    return BarChart(
        heading=_("What the picture adds"),
        bars=tuple(bars),
        quantity=_("(full - control) / control in %(metric)s", metric=result.metric),
        percent=True,
        signed=True,
        caption=sections.over_seeds(),
        intro=_(
            "Against the text alone, the gain is that of a second branch, the title in it and the words about"
            " the picture. Against the title-only control, it is that of the words about the picture."
        ),
    )


def _shares(result: Ablation) -> BarChart:
    bars = [Bar(label=_(SIDES[name]), value=sections.estimate(interval)) for name, interval in result.shares.items()]
    lost = _(
        "What is lost when a modality is removed (full less “%(visual)s” is the text's, full less"
        " “%(text)s” the visual one's, at least 0), over the sum of both. Seeds at which no removal does"
        " harm are left out.",
        visual=VISUAL_ONLY, text=TEXT_ONLY,
    )  # fmt: skip
    return BarChart(
        heading=_("Shares of text and visual"),
        bars=tuple(bars),
        quantity=_("share of what is lost in %(metric)s", metric=result.metric),
        percent=True,
        caption=f"{lost} {sections.over_seeds()}",
        intro=_(
            "What both modalities tell is in neither loss, what only both together tell is in both: these are"
            " shares of what cannot be replaced, not of information."
        ),
    )


def _sweeps(result: Ablation) -> list[Section]:
    full = find_row(result.rows, FULL)
    return [
        sections.sweep(
            [row for row in result.rows if row.group == study.name],
            heading=_(study.title),
            parameter=study.parameter,
            metric=result.metric,
            reference=full,
            intro=_(study.question),
        )
        for study in result.studies
        if study.parameter
    ]


def _tests(result: Ablation) -> Section:
    return sections.tests_table(result.rows, metric=result.metric, reference=FULL)


def _notes(result: Ablation) -> Section:
    features = [_("%(name)s by %(encoder)s", name=name, encoder=encoder) for name, encoder in result.origins.items()]
    made = [_("The features: %(features)s.", features=", ".join(features))]
    made += [
        _(
            "Left out: “%(row)s” needs the features %(modality)s; `%(command)s` makes them.",
            row=row.name, modality=repr(row.modality), command=remedy(row.modality, "DATASET"),
        )
        for row in result.left_out
    ]  # fmt: skip
    made += [_("Failed: %(failure)s", failure=failure) for failure in result.failures]
    made += sections.code_notes(result.rows)
    if len(result.seeds) < ENOUGH:
        made.append(
            n_(
                "%(number)s seed: too few for an interval over seeds.",
                "%(number)s seeds: too few for an interval over seeds.",
                len(result.seeds),
            )
        )
    return Notes(heading=_("What to keep in mind"), notes=tuple(made))
