"""What studies found: leaderboards, ablations, tunings and runs, and two trainings against each other."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from viral.apps.serve.pages.experiment_files import Found, discover, find
from viral.apps.serve.pages.experiment_trends import trends
from viral.apps.serve.pages.rendering import quoted, render
from viral.apps.serve.pages.run_comparison import Difference, Side, config_difference, difference, side, sides
from viral.apps.serve.security.access import asks
from viral.base.errors import DataError
from viral.base.language import _, marked, n_
from viral.lab.report import Bar, BarChart, Estimate, Section, Table, render_sections, style
from viral.lab.report.wording import fixed
from viral.lab.study.study import METRIC, Summary, setting_text

router = APIRouter(include_in_schema=False)
FIGURES = "figures.css"  # of the reports: what their charts and tables look like
KINDS = {
    "comparison": marked("Comparison"),
    "ablation": marked("Ablation"),
    "cold": marked("New items"),
    "tuning": marked("Tuning"),
    "run": marked("Run"),
    "unreadable": marked("Unreadable"),
}
COLUMNS = {
    "name": marked("Name"),
    "what": marked("What"),
    "data": marked("Data"),
    "size": marked("Size"),
    "best": marked("Best"),
    "when": marked("When"),
}
DESCENDING = ("size", "best", "when")  # which columns begin with the greatest
Key = Annotated[str, Query(max_length=600)]
Short = Annotated[str, Query(max_length=20)]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the list."""

    found: Found
    kind: str
    href: str
    summary: Summary

    def key(self, column: str) -> tuple[Any, ...]:
        """What a column sorts it by; what cannot be read comes last."""
        value = -1.0 if self.summary.value is None else self.summary.value
        values = {"what": self.kind, "data": self.found.data.casefold(), "size": self.summary.amount, "best": value,
                  "when": self.found.modified}  # fmt: skip
        return values.get(column, ""), self.found.name.casefold()


def discovered(request: Request) -> dict[str, Found]:
    """Everything that the server was given, as the files are now."""
    settings = request.app.state.settings
    return discover(settings.experiments, settings.run)


@router.get("/experiments", dependencies=[Depends(asks)])
def show_all(request: Request, sort: Short = "", order: Short = "") -> Response:
    """The list, sorted by a column if one is asked for; how metrics went over time; the choice of two to compare."""
    found = discovered(request)
    listed = [_line(one) for one in found.values()]
    if sort in COLUMNS:
        down = order == "desc"
        listed.sort(key=lambda one: one.key(sort), reverse=down)
        listed.sort(key=lambda one: one.found.kind == "unreadable")
    return render(
        request, "experiments.html", listed=listed, there=sides(found, request.app.state.live.current.dataset),
        heads=[_head(name, sort, order) for name in COLUMNS], trends=trends(found),
    )  # fmt: skip


def _head(name: str, sort: str, order: str) -> dict[str, str]:
    """A column's head: its state for who listens, its mark for who looks, and where its link sorts."""
    down = order == "desc"
    if name != sort:
        turn, state, mark = ("desc" if name in DESCENDING else "asc"), "none", ""
    else:
        turn, state, mark = ("asc", "descending", "▼") if down else ("desc", "ascending", "▲")
    return {"label": COLUMNS[name], "state": state, "mark": mark, "href": f"/experiments?sort={name}&order={turn}"}


def _line(found: Found) -> Line:
    return Line(found, _(KINDS[found.kind]), f"/experiments/study/{quoted(found.name)}", found.summary)


@router.get("/experiments/figures.css", dependencies=[Depends(asks)])
def figures() -> Response:
    """The reports' style sheet for charts and tables."""
    return Response(style(FIGURES), media_type="text/css", headers={"Cache-Control": "private, max-age=600"})


@router.get("/experiments/study/{name:path}", dependencies=[Depends(asks)])
def show_one(request: Request, name: str) -> Response:
    """One study or run."""
    found = find(discovered(request), name)
    made, study = found.sections(), found.study
    return render(
        request, "experiment.html", found=found, study=study, kind=_(KINDS[found.kind]),
        headings=[one.heading for one in made], body=render_sections(made, () if study is None else study.ours),
    )  # fmt: skip


@router.get("/experiments/compare", dependencies=[Depends(asks)])
async def compare_two(request: Request, a: Key = "", b: Key = "") -> Response:
    """The second of two trainings against the first: many files are read, and runs may have to be ranked."""
    answer: Response = await request.app.state.pools.long.run(lambda: _compared(request, a, b))
    return answer


def _compared(request: Request, a: str, b: str) -> Response:
    snapshot = request.app.state.live.current
    there = sides(discovered(request), snapshot.dataset)
    if not a or not b:
        return render(request, "experiments_compare.html", there=there, first=None, second=None)
    first, second = side(there, a), side(there, b)
    values: dict[str, Any] = {"there": there, "first": first, "second": second, "fault": "", "result": None}
    parts = [_config(first, second)]
    try:
        result = difference(first.users(), second.users())
        parts.append(_outcome(result, second))
        values |= {"result": result, "known": snapshot.bundle.users}
    except DataError as error:
        values["fault"] = _(error.what)
    return render(request, "experiments_compare.html", **values, body=render_sections(parts))


def _config(first: Side, second: Side) -> Section:
    one, other = first.config(), second.config()
    rows = config_difference(one, other)
    gaps = [(_(name), config.gap) for name, config in (("first", one), ("second", other)) if config.gap]
    return Table(
        heading=_("What differs in the configuration"),
        columns=(_("setting"), _("first"), _("second")),
        rows=tuple((name, _value(a), _value(b)) for name, a, b in rows) or ((_("nothing"), "", ""),),
        caption=_("Of all settings of model and training, defaults included; a dash: there is no such setting.")
        + "".join(" " + _("Not all is known of the %(name)s: %(gap)s.", name=name, gap=_(gap)) for name, gap in gaps),
    )


def _value(value: Any) -> str:
    return "–" if value is None else setting_text(value)


def _outcome(result: Difference, second: Side) -> Section:
    test = result.test
    counts = [
        (_("better served by the second"), test.wins), (_("the same"), test.ties),
        (_("better by the first"), test.losses),
    ]  # fmt: skip
    return BarChart(
        heading=_("Users won and lost"),
        bars=tuple(
            Bar(label=name, value=Estimate(count / result.users), note=n_("%(number)s user", "%(number)s users", count))
            for name, count in counts
        ),
        quantity=_("share of users"),
        percent=True,
        caption=_(
            "%(metric)s of each of %(users)s users on the test set. Second minus first: %(difference)s, 95 %% bootstrap"
            " interval over users %(low)s to %(high)s, p %(p)s (sign flips).",
            metric=METRIC,
            users=f"{result.users:,}",
            difference=fixed(test.difference, signed=True),
            low=fixed(test.low, signed=True),
            high=fixed(test.high, signed=True),
            p=f"{test.p_value:.2g}",
        ),
    )
