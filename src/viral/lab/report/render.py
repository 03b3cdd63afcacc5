"""A report as one HTML file: escaped by default, without scripts, and forbidden by its own policy to fetch anything."""

import base64
import hashlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viral.base.files import atomic_write
from viral.base.language import current, gettext, ngettext
from viral.lab.report import wording
from viral.lab.report.chart_sections import Bar, BarChart, Curves, Scatter, ShareChart, Sweep, Tradeoff
from viral.lab.report.figures.bar_chart import bar_chart, grid_bar
from viral.lab.report.figures.item_map import cloud_map, swatch
from viral.lab.report.figures.line_chart import ChartLine, line_chart
from viral.lab.report.figures.part_bars import part_span, part_stack, part_tone, share_stack
from viral.lab.report.figures.sweep_chart import sweep_chart
from viral.lab.report.figures.tradeoff_chart import tradeoff_chart
from viral.lab.report.palette import Palette, palette
from viral.lab.report.picture_sections import ContactSheet, Explanations, Users
from viral.lab.report.sections import NextSteps, Notes, Report, Section
from viral.lab.report.table_sections import Grid, Ranking, Table
from viral.lab.report.thumbnails import Thumbnails, box_mark

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

PAPER = "https://arxiv.org/abs/2511.02113"
STYLES = ("page.css", "figures.css", "pictures.css")
FILTERS = (wording.shown, wording.named, wording.fixed, wording.percent, wording.score, wording.whole, wording.duration)
FUNCTIONS: tuple[Callable[..., Any], ...] = (
    *(wording.seeds, bar_chart, grid_bar, part_tone, part_span, part_stack, share_stack, line_chart, sweep_chart),
    *(cloud_map, swatch, tradeoff_chart, box_mark),
)
TEMPLATES: dict[type, str] = {
    Ranking: "ranking.html",
    Curves: "curves.html",
    BarChart: "bars.html",
    Sweep: "sweep.html",
    ShareChart: "shares.html",
    Scatter: "scatter.html",
    Tradeoff: "tradeoff.html",
    Table: "table.html",
    Grid: "grid.html",
    ContactSheet: "contact.html",
    Users: "users.html",
    Explanations: "explanations.html",
    Notes: "notes.html",
    NextSteps: "next.html",
}


def write_report(path: Path, report: Report) -> Path:
    """Write ``report`` to ``path`` (whole or not at all) and return ``path``. The same report gives the same bytes."""
    page = render_report(report)
    with atomic_write(path) as temporary:
        temporary.write_text(page, encoding="utf-8", newline="\n")
    return path


def render_report(report: Report) -> str:
    """The page as one string. Pictures that cannot be read become placeholders that say why."""
    from markupsafe import Markup

    css = style(*STYLES)
    return (
        _environment()
        .get_template("report.html")
        .render(
            report=report,
            sections=report.sections,
            css=Markup(css),  # our own file: nothing of the report is in it
            policy=_policy(css),
            paper=PAPER,
            language=current(),
            **_tools(palette(report.sections, report.ours)),
        )
    )


def render_sections(sections: Sequence[Section], ours: Sequence[str] = ()) -> "Markup":
    """The sections alone, for a page that brings its own frame and, among others, the style sheet ``figures.css``."""
    from markupsafe import Markup

    page = _environment().get_template("sections.html")
    return Markup(page.render(sections=sections, **_tools(palette(sections, ours))))


def _tools(colours: Palette) -> dict[str, Any]:
    """What the templates of sections call that is of one page."""
    return {
        "template_of": _template_of,
        "thumbnail": Thumbnails().of,
        "tone_of": colours.tone,
        "row_class": colours.row,
        "ranking_bars": _ranking_bars,
        "curve_lines": _curve_lines,
    }


def style(*names: str) -> str:
    """Style sheets of :data:`STYLES`, one after the other."""
    return "".join((files("viral.lab.report") / "templates" / name).read_text(encoding="utf-8") for name in names)


@lru_cache(maxsize=1)
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context

    environment = Environment(
        loader=PackageLoader("viral.lab.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    # Sentences of the templates are trusted as markup: what comes from data is translated by ``translated`` alone.
    environment.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    # It takes the context, else the compiler would translate what is constant once and for all.
    environment.filters["translated"] = pass_context(lambda _context, sentence: gettext(sentence))
    environment.filters |= {filter_.__name__: filter_ for filter_ in FILTERS}
    environment.globals |= {function.__name__: function for function in FUNCTIONS}
    return environment


def _policy(css: str) -> str:
    """A content security policy: no script, no connection, no frame; pictures from data URIs, the style by its hash."""
    digest = base64.b64encode(hashlib.sha256(css.encode("utf-8")).digest()).decode("ascii")
    return f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _template_of(section: Section) -> str:
    return f"sections/{TEMPLATES[type(section)]}"


def _ranking_bars(ranking: Ranking) -> tuple[Bar, ...]:
    """The charted metric of a ranking as bars, in the table's order."""
    metric = ranking.chart_metric
    return tuple(
        Bar(label=row.model, value=row.metrics[metric], highlight=row.highlight)
        for row in ranking.rows
        if metric is not None and metric in row.metrics
    )


def _curve_lines(section: Curves, which: str, tone: Callable[[str], str]) -> list[ChartLine]:
    """The curves' values (``valid`` or ``loss``) as lines, each model in its tone."""
    return [
        ChartLine(
            label=curve.model,
            points=tuple(zip(curve.epochs, values, strict=True)) if (values := getattr(curve, which)) else (),
            tone=tone(curve.model),
            ring=curve.best_epoch,
        )
        for curve in section.curves
    ]
