"""``viral compare``: models side by side on one data set, each tested against the best of the others."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from viral.base.errors import UsageError, nearest
from viral.base.language import ENGLISH, using
from viral.base.parallel import Executor
from viral.base.progress import say
from viral.base.provenance import commit
from viral.base.recipe import Recipe
from viral.data.dataset import Dataset
from viral.lab.report import Curve, write_report
from viral.lab.study import latex_tables as latex
from viral.lab.study import result_files as outputs
from viral.lab.study.ablation.ablate import check_metric
from viral.lab.study.ablation.plain_descriptions import origins
from viral.lab.study.cells import Cell, data_hashes, fingerprint_of
from viral.lab.study.comparison import published_tables as beside
from viral.lab.study.comparison import segment_tables
from viral.lab.study.comparison.published_numbers import Published, published
from viral.lab.study.comparison.segments import Segment, segments_of
from viral.lab.study.comparison.tuning_effort import Effort
from viral.lab.study.learning_curves import curves_of
from viral.lab.study.rows import Row, make_rows
from viral.lab.study.runner import Outcome, run_cells
from viral.run.pipeline import load_split

GROUP = "models"
OURS = "viral"  # what is not a baseline


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaderboard:
    """A finished comparison; ``rows`` stand by their mean of ``metric`` on test, best first."""

    dataset: Dataset
    rows: tuple[Row, ...]
    reference: str  # the row that the others are tested against
    chosen: bool  # the reference is the best baseline on validation, not one that was named
    seeds: tuple[int, ...]
    metric: str
    command: str
    users: int | None
    seconds: float
    own_processes: bool  # each cell had one, so that its peak memory is its own
    published: Published | None = None  # what others report, to stand beside these rows
    segments: tuple[Segment, ...] = ()
    wanted: float | None = None  # mean training interactions of the items that users took in the test set
    curves: tuple[Curve, ...] = ()  # of the first seed of each row that was trained in epochs
    tuning: Mapping[str, Effort] = field(default_factory=dict)  # by row, of those that a study beside them tells

    @property
    def unlike(self) -> str:
        """Why the published numbers cannot stand beside these; the empty string where they can, or there are none."""
        return self.published.fault(self.dataset) if self.published is not None else ""

    @property
    def failures(self) -> list[str]:
        return [f"{row.name}, {failure}" for row in self.rows for failure in row.failures]


def compare(
    dataset: Dataset,
    recipes: Mapping[str, Recipe],
    out: Path,
    *,
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    against: str | None = None,
    metric: str = "recall@20",
    command: str = "",
    executor: Executor | None = None,
    own_processes: bool = False,
    beside_published: str | None = None,
    tuning: Mapping[str, Effort] | None = None,
    renew: bool = False,
) -> Leaderboard:
    """Train every recipe at every seed, and leave ``results.csv``, ``.json``, ``.tex`` and ``report.html`` in ``out``.

    All rows have the same split, inputs and protocol. They are tested against the row ``against``, or else against the
    best baseline: of the models that are not VIRAL, the one with the greatest mean on *validation*. ``own_processes``
    says that ``executor`` gives each cell a process of its own. ``beside_published`` names a benchmark whose published
    numbers are put beside the rows (and in ``published.csv`` and ``.tex``). ``tuning`` says what choosing a row's
    hyper-parameters cost. With ``renew``, cells that other code computed are computed anew.
    """
    check_metric(metric)
    theirs = published(beside_published) if beside_published is not None else None
    if against is not None and against not in recipes:
        raise UsageError(f"no row is called {against!r}", hint=nearest(against, recipes))
    started = time.perf_counter()
    outcomes = run_cells(dataset, model_cells(recipes, seeds), out, executor=executor, renew=renew)
    reference = against or best_baseline(make_rows(outcomes, metric=metric))
    rows = make_rows(outcomes, metric=metric, reference=reference)
    result = Leaderboard(
        dataset=dataset,
        rows=tuple(sorted(rows, key=lambda row: -row.metrics[metric].mean if row.seeds else float("inf"))),
        reference=reference,
        chosen=against is None,
        seeds=tuple(seeds),
        metric=metric,
        command=command,
        users=next((int(o.result.summary["users"]) for o in outcomes if o.result is not None), None),
        seconds=time.perf_counter() - started,
        own_processes=own_processes,
        published=theirs,
        segments=tuple(segments_of(outcomes, load_split(dataset), metric=metric, reference=reference)),
        curves=tuple(curves_of(outcomes, metric=metric)),
        wanted=_wanted(outcomes),
        tuning=dict(tuning or {}),
    )
    if result.unlike:
        say(result.unlike)
    _write(result, out)
    return result


def _wanted(outcomes: Sequence[Outcome]) -> float | None:
    summaries = (outcome.result.summary for outcome in outcomes if outcome.result is not None)
    return next((float(s["exposure"]["held_out_popularity"]) for s in summaries if "exposure" in s), None)


def model_cells(recipes: Mapping[str, Recipe], seeds: Sequence[int]) -> list[Cell]:
    """Every recipe at every seed, given all features of the data set."""
    return [
        Cell(name=name, group=GROUP, recipe=replace(recipe, train=replace(recipe.train, seed=seed)))
        for name, recipe in recipes.items()
        for seed in seeds
    ]


def best_baseline(rows: Sequence[Row]) -> str:
    """The row with the greatest mean on validation of those that are not VIRAL; of all, where there is no other."""
    measured = [row for row in rows if row.seeds]
    baselines = [row for row in measured if row.model != OURS] or measured or list(rows)
    return max(baselines, key=lambda row: outputs.mean(row.valid) if row.valid else -1.0).name


def _write(result: Leaderboard, out: Path) -> None:
    from viral.lab.study.comparison.report import leaderboard_report

    data, metric = fingerprint_of(data_hashes(result.dataset), None), result.metric
    outputs.write_csv(
        out / outputs.CSV_FILE, result.rows, metric=metric, data=data, memory=result.own_processes, tuning=result.tuning
    )
    seeds = {row.name: row.seeds for row in result.rows}
    segment_tables.write_csv(
        out / segment_tables.CSV_FILE, result.segments, seeds, metric=metric, reference=result.reference
    )
    outputs.write_results(out / outputs.JSON_FILE, leaderboard_json(result) | {"data_fingerprint": data})
    with using(ENGLISH):  # LaTeX without fonts for another script
        outputs.write_latex(out / outputs.LATEX_FILE, latex_tables(result))
        if (theirs := result.published) is not None:
            beside.write_csv(out / beside.CSV_FILE, theirs, result.rows, result.unlike)
            caption = f"Published numbers of {theirs.name} and ours. Made by: {result.command}"
            beside.write_latex(out / beside.LATEX_FILE, theirs, result.rows, caption=caption, fault=result.unlike)
    write_report(out / outputs.REPORT_FILE, leaderboard_report(result))


def latex_tables(result: Leaderboard) -> list[str]:
    """The leaderboard, its tests, whom it serves, and what it shows and costs."""
    from viral.lab.study.comparison import cost_tables as tables

    caption = (
        f"{result.dataset.path.name}, {len(result.seeds)} seeds; * p < 0.05 against {result.reference} in"
        f" {result.metric} (paired over users, Holm-corrected). Made by: {result.command}"
    )
    made = [latex.latex_table(result.rows, metric=result.metric, caption=caption)]
    if result.segments:
        made.append(segment_tables.latex(result.segments, result.rows, result.metric, result.reference))
    texts = (tables.tests(result), tables.popularity(result), tables.cost(result), tables.budget(result))
    return made + [latex.text_table(each.columns, each.rows, f"{each.heading}. {each.caption}") for each in texts]


def leaderboard_json(result: Leaderboard) -> dict[str, Any]:
    """What ``viral compare --json`` prints and ``results.json`` keeps."""
    theirs = result.published
    return {
        "command": result.command,
        "dataset": str(result.dataset.path),
        "features": origins(result.dataset),
        "counts": dict(result.dataset.manifest["counts"]),
        "seeds": list(result.seeds),
        "metric": result.metric,
        "reference": result.reference,
        "commit": commit(),
        "users": result.users,
        "seconds": result.seconds,
        "code_changed": [row.name for row in result.rows if row.code_changed],
        "rows": outputs.rows_json(result.rows, memory=result.own_processes),
        "segments": segment_tables.to_json(result.segments),
        "held_out_popularity": result.wanted,
        "tuning": {name: asdict(effort) for name, effort in result.tuning.items()},
        "published": beside.to_json(theirs, result.rows, result.unlike) if theirs is not None else None,
        "failures": result.failures,
    }
