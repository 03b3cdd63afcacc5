"""How a model's metric on a data set went from one training to the next: charts over the runs and studies there are."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from viral.apps.serve.pages.experiment_files import Found, RunStudy
from viral.base.language import _
from viral.lab.report import Ranking, RankingRow
from viral.lab.report.figures.line_chart import ChartLine, line_chart
from viral.lab.report.palette import Palette, palette
from viral.lab.report.values import Estimate
from viral.lab.study.ablation.variants import FULL
from viral.lab.study.study import METRIC, TrainingStudy
from viral.lab.study.training_rows import Row

MOST_CHARTS, MOST_MODELS = 6, 8  # of a page; lines that can be told apart


@dataclass(frozen=True, slots=True)
class DatedResult:
    """One training, or the mean of a study's seeds."""

    data: str
    model: str
    name: str  # of the run or study
    modified: float
    value: float


@dataclass(frozen=True, slots=True)
class Trend:
    """The trainings on one data set in the order of time, and their chart, wide and for a telephone."""

    data: str
    trained: tuple[DatedResult, ...]
    charts: tuple[Markup, Markup]


def trends(found: Mapping[str, Found]) -> list[Trend]:
    """One for each data set on which some model was trained more than once, the most recent first."""
    by_data: dict[str, list[DatedResult]] = {}
    for one in sorted(_trained(found.values()), key=lambda one: one.modified):
        by_data.setdefault(one.data, []).append(one)
    there = [those for those in by_data.values() if len({one.model for one in those}) < len(those)]
    recent = sorted(there, key=lambda those: -those[-1].modified)[:MOST_CHARTS]
    return [_trend(those, f"trend-{place}") for place, those in enumerate(recent)]


def _trained(found: Iterable[Found]) -> Iterable[DatedResult]:
    """What was measured on a test set, with VIRAL itself of an ablation; a run that is listed twice counts once."""
    seen: set[str] = set()
    for one in found:
        if str(one.folder.resolve()) in seen:
            continue
        seen.add(str(one.folder.resolve()))
        for model, value in _values(one):
            if one.data and isinstance(value, float) and value == value:
                yield DatedResult(one.data, model, one.name, one.modified, value)


def _values(found: Found) -> list[tuple[str, float | None]]:
    study = found.study
    if isinstance(study, RunStudy):
        return [(study.model, study.metrics.get(METRIC))]
    first: dict[str, Row] = {}
    for row in study.rows if isinstance(study, TrainingStudy) else ():
        if row.seeds and (found.kind == "comparison" or row.name == FULL):
            first.setdefault(row.model, row)
    return [(model, row.mean(METRIC)) for model, row in first.items()]


def _trend(trained: Sequence[DatedResult], key: str) -> Trend:
    turns = {moment: place for place, moment in enumerate(sorted({one.modified for one in trained}), start=1)}
    models = sorted({one.model for one in trained}, key=lambda model: (-_count(trained, model), model))[:MOST_MODELS]
    tones = _palette(models)
    lines = [
        ChartLine(
            label=model,
            points=tuple((float(turns[one.modified]), one.value) for one in trained if one.model == model),
            tone=tones.tone(model),
            dotted=True,
        )
        for model in models
    ]
    title = _("%(metric)s on the test set over the trainings on %(data)s", metric=METRIC, data=trained[0].data)
    across = _("training, in the order of time")
    return Trend(
        trained[0].data,
        tuple(reversed(trained)),
        (
            line_chart(lines, key=key, title=title, across=across),
            line_chart(lines, key=f"{key}-narrow", title=title, size="narrow", across=across),
        ),
    )


def _count(trained: Sequence[DatedResult], model: str) -> int:
    return sum(one.model == model for one in trained)


def _palette(models: Sequence[str]) -> Palette:
    """The tones that the models have in the reports."""
    rows = tuple(RankingRow(model=model, metrics={METRIC: Estimate(0.0)}) for model in models)
    return palette([Ranking(heading="", rows=rows, command="", data="", seeds=(), commit="")])
