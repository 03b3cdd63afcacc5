"""What studies found: leaderboards, ablations, tunings and runs, and two trainings against each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from viral.errors import DataError
from viral.experiment.cold_page import label
from viral.experiment.cold_rows import ColdRow
from viral.report import Bar, BarChart, Estimate, Section, Table, render_sections, style
from viral.report.wording import fixed
from viral.serve.pages import render
from viral.serve.pages.experiment_files import Found, discover, find, settings_text
from viral.serve.pages.experiment_sections import METRIC, metric_of
from viral.serve.pages.links import quoted
from viral.serve.pages.run_comparison import Difference, Side, config_difference, difference, side, sides
from viral.serve.pages.run_sections import sections_of
from viral.serve.security.access import asks

router = APIRouter(include_in_schema=False)
FIGURES = "figures.css"  # of the reports: what their charts and tables look like
KINDS = {
    "comparison": "Comparison",
    "ablation": "Ablation",
    "cold": "New items",
    "tuning": "Tuning",
    "run": "Run",
    "unreadable": "Unreadable",
}
Key = Annotated[str, Query(max_length=600)]


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of the list."""

    found: Found
    kind: str
    href: str
    size: str  # what is in it
    best: str


def discovered(request: Request) -> dict[str, Found]:
    """Everything that the server was given, as the files are now."""
    settings = request.app.state.settings
    return discover(settings.experiments, settings.run)


@router.get("/experiments", dependencies=[Depends(asks)])
def show_all(request: Request) -> Response:
    """The list, and the choice of two to compare."""
    found = discovered(request)
    there = sides(found, request.app.state.live.current.dataset)
    return render(request, "experiments.html", listed=[_listed(one) for one in found.values()], there=there)


def _listed(found: Found) -> Listed:
    try:
        size, best = _summary(found)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        found = Found(found.name, "unreadable", found.folder, {})
        size, best = "", f"its file is not what its command writes ({type(error).__name__})"
    return Listed(found, KINDS[found.kind], f"/experiments/study/{quoted(found.name)}", size, best)


def _summary(found: Found) -> tuple[str, str]:
    """How much is in it, and the best of it, or why it cannot be read."""
    size, best = "", found.fault
    if found.kind in ("comparison", "ablation"):
        rows, metric = found.rows, metric_of(found)
        size = f"{len(rows)} rows, {len({seed for row in rows for seed in row.seeds})} seeds"
        first = max((row for row in rows if row.seeds), key=lambda row: row.metrics[metric].mean, default=None)
        best = f"{first.name}: {metric} {fixed(first.metrics[metric].mean)}" if first is not None else "no result"
    elif found.kind == "cold":
        size, best = _cold_summary(found.cold_rows)
    elif found.kind == "tuning":
        size, value = f"{len(found.document.get('trials', ()))} trials", (found.document.get("best") or {}).get("value")
        best = f"{found.document.get('model', '')}: {fixed(value)} on validation"
    elif found.kind == "run":
        value = (found.document.get("metrics") or {}).get(METRIC)
        size, best = (
            f"seed {found.document.get('seed', '–')}",
            f"{found.document.get('model', '')}: {METRIC} {fixed(value)}",
        )
    return size, best


def _cold_summary(rows: Sequence[ColdRow]) -> tuple[str, str]:
    """The best is the row whose new items are found best among all items."""
    size = f"{len(rows)} rows, {len({seed for row in rows for seed in row.seeds})} seeds"
    there = [row for row in rows if "all" in row.places]
    first = max(there, key=lambda row: row.places["all"].recall.mean, default=None)
    if first is None:
        return size, "no result"
    return size, f"{label(first)}: {METRIC} {fixed(first.places['all'].recall.mean)} of new items"


@router.get("/experiments/figures.css", dependencies=[Depends(asks)])
def figures() -> Response:
    """The reports' style sheet for charts and tables."""
    return Response(style(FIGURES), media_type="text/css", headers={"Cache-Control": "private, max-age=600"})


@router.get("/experiments/study/{name:path}", dependencies=[Depends(asks)])
def show_one(request: Request, name: str) -> Response:
    """One study or run."""
    found = find(discovered(request), name)
    made = sections_of(found)
    return render(
        request, "experiment.html", found=found, kind=KINDS[found.kind], headings=[one.heading for one in made],
        body=render_sections(made), command=str(found.document.get("command", "")),
    )  # fmt: skip


@router.get("/experiments/compare", dependencies=[Depends(asks)])
async def compare_two(request: Request, a: Key = "", b: Key = "") -> Response:
    """The second of two trainings against the first: many files are read, and runs may have to be ranked."""
    answer: Response = await request.app.state.work.long.run(lambda: _compared(request, a, b))
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
        values["fault"] = error.what
    return render(request, "experiments_compare.html", **values, body=render_sections(parts))


def _config(first: Side, second: Side) -> Section:
    one, other = first.config(), second.config()
    rows = config_difference(one, other)
    gaps = [(name, config.gap) for name, config in (("first", one), ("second", other)) if config.gap]
    return Table(
        heading="What differs in the configuration",
        columns=("setting", "first", "second"),
        rows=tuple((name, _value(a), _value(b)) for name, a, b in rows) or (("nothing", "", ""),),
        caption="Of all settings of model and training, defaults included; a dash: there is no such setting."
        + "".join(f" Not all is known of the {name}: {gap}." for name, gap in gaps),
    )


def _value(value: Any) -> str:
    return "–" if value is None else settings_text(value)


def _outcome(result: Difference, second: Side) -> Section:
    test = result.test
    counts = [("better served by the second", test.wins), ("the same", test.ties), ("better by the first", test.losses)]
    return BarChart(
        heading="Users won and lost",
        bars=tuple(
            Bar(label=name, value=Estimate(count / result.users), note=f"{count:,} users") for name, count in counts
        ),
        quantity="share of users",
        percent=True,
        caption=f"{METRIC} of each of {result.users:,} users on the test set. Second minus first:"
        f" {fixed(test.difference, signed=True)}, 95 % bootstrap interval over users"
        f" {fixed(test.low, signed=True)} to {fixed(test.high, signed=True)}, p {test.p_value:.2g} (sign flips).",
    )
