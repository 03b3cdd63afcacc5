"""An ablation's report, and the sections that its page in the browser has as well."""

from collections.abc import Mapping, Sequence
from typing import Any

from viral.base.language import _, marked, n_
from viral.lab.report import Bar, BarChart, Notes, Report, Section, Sweep, SweepPoint, Table
from viral.lab.report.wording import DASH, fixed, percent
from viral.lab.study import report_sections
from viral.lab.study.ablation.ablation import Ablation
from viral.lab.study.ablation.variants import FULL, GROUPS, TEXT_ONLY, TITLE_ONLY, VISUAL_ONLY, VariantGroup
from viral.lab.study.report_sections import HIGHER, LOWER, estimate, mark_of
from viral.lab.study.runner import remedy
from viral.lab.study.statistics import ENOUGH
from viral.lab.study.study import setting_text
from viral.lab.study.training_rows import Row, find_row

SIDES = {"text": marked("text"), "visual": marked("visual")}


def ablation_report(result: Ablation) -> Report:
    """The whole study as one page."""
    return report_sections.report(
        result,
        _("VIRAL taken apart on %(data)s", data=result.data),
        _("Each row is the full model with one thing changed, trained and measured in the same way."),
        ablation_sections(result),
        seconds=sum(sum(row.seconds) for row in report_sections.distinct(result.rows)),
        lede=_finding(result),
    )


def ablation_sections(result: Ablation) -> list[Section]:
    """The rows and what each changes, the modalities, the sweeps, the tests."""
    swept = {group.name for group in result.groups if group.parameter}
    plain = [row for row in result.rows if row.group not in swept]
    asked = tuple(f"{group.name}: {_(group.question)}" for group in result.groups if not group.parameter)
    tested = any(row.comparison is not None for row in result.rows)
    return [
        _ranking(result, plain),
        _matrix(plain, result.metric),
        *([Notes(heading=_("What each study asks"), notes=asked)] if asked else []),
        *([_gains(result)] if result.visual_contribution else []),
        *([_shares(result)] if result.shares else []),
        *(_sweep(result, group) for group in result.groups if group.parameter),
        *([report_sections.tests_table(result)] if tested else []),
        *report_sections.learning_curves(result),
        _notes(result),
    ]


def _finding(result: Ablation) -> str:
    full = find_row(result.rows, FULL)
    if full is None:
        return _("The full model has no result.")
    compared = {row.model_key: mark_of(row.comparison) for row in result.rows if row.comparison is not None}
    worse, better = (sum(mark == wanted for mark in compared.values()) for wanted in (LOWER, HIGHER))
    said = [
        _(
            "The full model has a %(metric)s of %(value)s. Of %(rows)s rows compared with it, %(worse)s are lower and"
            " %(better)s higher beyond luck over users (Holm-corrected).",
            metric=result.metric, value=fixed(full.mean(result.metric)), rows=len(compared), worse=worse,
            better=better,
        )
    ]  # fmt: skip
    if TEXT_ONLY in result.visual_contribution:
        gain = percent(result.visual_contribution[TEXT_ONLY].mean, signed=True)
        said.append(_("The picture's words add %(gain)s to the text alone.", gain=gain))
    if TITLE_ONLY in result.visual_contribution:
        gain = percent(result.visual_contribution[TITLE_ONLY].mean, signed=True)
        said.append(_("They add %(gain)s to the title-only control.", gain=gain))
    return " ".join(said)


def _ranking(result: Ablation, rows: Sequence[Row]) -> Section:
    counts = result.counts
    parts = " / ".join(f"{counts[name]:,}" for name in ("train", "valid", "test") if name in counts)
    return report_sections.ranking(
        result,
        rows,
        heading=_("The rows"),
        data=f"{result.data} ({parts} {_('train / valid / test')})" if parts else result.data,
        intro=_("Each row is the full model but for what its name says; beneath it stands the study that it is of."),
        notes=(
            _(
                "No row was tuned for itself, and LightGCN and Popularity are anchors at their defaults, not"
                " competitors."
            ),
        ),
    )


def _matrix(rows: Sequence[Row], metric: str) -> Table:
    """What each row changes in the full model, setting by setting, and what comes of it."""
    variants = {(group.name, variant.name): variant for group in GROUPS.values() for variant in group.variants}
    settings: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        variant = variants.get((row.group, row.name))
        changed = dict(variant.settings) if variant is not None else {}
        settings[row.name] = changed | ({"model": row.model} if row.model != "viral" else {})
    names = list(dict.fromkeys(name for changed in settings.values() for name in changed))
    against = _("against the full model")
    columns = (_("row"), metric, against, *names)
    return Table(
        heading=_("Ablation matrix"),
        columns=columns,
        rows=tuple(
            (
                row.name,
                fixed(row.mean(metric)),
                _change(row),
                *("" if name not in settings[row.name] else setting_text(settings[row.name][name]) for name in names),
            )
            for row in rows
        ),
        numeric=(metric, against),
        notes=tuple(row.group for row in rows),
        highlight=frozenset(place for place, row in enumerate(rows) if row.name == FULL),
        caption=_(
            "An empty cell: as in the full model. %(higher)s and %(lower)s: higher and lower beyond luck over users"
            " (paired test, Holm-corrected p < 0.05).",
            higher=HIGHER,
            lower=LOWER,
        ),
    )


def _change(row: Row) -> str:
    if row.comparison is None:
        return DASH
    mark = f" {mark_of(row.comparison)}".rstrip()
    return f"{percent(row.comparison.relative, signed=True)}{mark}"


def _gains(result: Ablation) -> BarChart:
    """What the visual modality adds to each control."""
    bars = [
        Bar(
            label=_("full against %(row)s", row=name),
            value=estimate(interval),
            highlight=name == TEXT_ONLY,
        )
        for name, interval in result.visual_contribution.items()
    ]
    return BarChart(
        heading=_("What the picture adds"),
        bars=tuple(bars),
        quantity=_("(full - control) / control in %(metric)s", metric=result.metric),
        percent=True,
        signed=True,
        caption=report_sections.over_seeds(),
        intro=_(
            "Against the text alone, the gain is that of a second branch, the title in it and the words about"
            " the picture. Against the title-only control, it is that of the words about the picture."
        ),
    )


def _shares(result: Ablation) -> BarChart:
    """What is lost without text and without the picture."""
    bars = [Bar(label=_(SIDES[name]), value=estimate(interval)) for name, interval in result.shares.items()]
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
        caption=f"{lost} {report_sections.over_seeds()}",
        intro=_(
            "What both modalities tell is in neither loss, what only both together tell is in both: these are"
            " shares of what cannot be replaced, not of information."
        ),
    )


def _sweep(result: Ablation, group: VariantGroup) -> Sweep:
    """A group's rows along its parameter; the value that the full model has is highlighted."""
    full = find_row(result.rows, FULL)
    ordered = sorted(
        (row for row in result.rows if row.group == group.name and row.place is not None and row.seeds),
        key=lambda row: row.place or 0.0,
    )
    return Sweep(
        heading=_(group.title),
        parameter=group.parameter,
        quantity=result.metric,
        points=tuple(
            SweepPoint(
                label=f"{row.place:g}",
                value=estimate(row.metrics[result.metric]),
                highlight=full is not None and row.model_key == full.model_key,
            )
            for row in ordered
        ),
        caption=n_(
            "The mean of %(number)s seed.",
            "Means over %(number)s seeds.",
            max((len(row.seeds) for row in ordered), default=0),
        )
        + (" " + _("The ringed value is that of %(reference)s.", reference=full.name) if full is not None else ""),
        intro=_(group.question),
    )


def _notes(result: Ablation) -> Section:
    features = [_("%(name)s by %(encoder)s", name=name, encoder=encoder) for name, encoder in result.features.items()]
    made = [_("The features: %(features)s.", features=", ".join(features))]
    made += [
        _(
            "Left out: “%(row)s” needs the features %(modality)s; `%(command)s` makes them.",
            row=row.name, modality=repr(row.modality), command=remedy(row.modality, "DATASET"),
        )
        for row in result.left_out
    ]  # fmt: skip
    made += [*report_sections.failure_notes(result.failures), *report_sections.code_notes(result.rows)]
    if len(result.seeds) < ENOUGH:
        made.append(
            n_(
                "%(number)s seed: too few for an interval over seeds.",
                "%(number)s seeds: too few for an interval over seeds.",
                len(result.seeds),
            )
        )
    return Notes(heading=_("What to keep in mind"), notes=tuple(made))
