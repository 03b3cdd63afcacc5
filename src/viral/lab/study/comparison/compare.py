"""``viral compare``: models side by side on one data set, each tested against the best of the others."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from viral.base.errors import UsageError, nearest
from viral.base.language import ENGLISH, using
from viral.base.parallel import Executor
from viral.base.progress import say
from viral.base.recipe import Recipe
from viral.data.dataset import Dataset
from viral.data.splitting import Split
from viral.lab.report import write_report
from viral.lab.study import result_files
from viral.lab.study.cells import data_hashes, fingerprint_of
from viral.lab.study.comparison import published_numbers, segment_tables
from viral.lab.study.comparison.leaderboard import Leaderboard
from viral.lab.study.comparison.leaderboard_report import budget, cost, leaderboard_report, popularity
from viral.lab.study.comparison.published_numbers import Published, published
from viral.lab.study.comparison.segments import segments_of
from viral.lab.study.feature_reads import encoders_of, reads_of
from viral.lab.study.report_sections import tests_table
from viral.lab.study.runner import Outcome, run_cells
from viral.lab.study.study import check_metric, curves_of, training_study
from viral.lab.study.training_cells import TrainingCell
from viral.lab.study.training_rows import Row, make_rows, mean
from viral.lab.study.tuning.tuning_study import Effort
from viral.run.pipeline import load_split

GROUP = "models"
OURS = "viral"  # what is not a baseline


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
    restamp: int = 0,
) -> Leaderboard:
    """Train every recipe at every seed, and leave ``results.csv``, ``.json``, ``.tex`` and ``report.html`` in ``out``.

    All rows have the same split, inputs and protocol. They are tested against the row ``against``, or else against the
    best baseline: of the models that are not VIRAL, the one with the greatest mean on *validation*. ``own_processes``
    says that ``executor`` gives each cell a process of its own. ``beside_published`` names a benchmark whose published
    numbers are put beside the rows (and in ``published.csv`` and ``.tex``). ``tuning`` says what choosing a row's
    hyper-parameters cost. ``renew`` and ``restamp`` are for cells that other code computed
    (:func:`viral.lab.study.runner.run_cells`).
    """
    theirs = _checked(recipes, metric, against, beside_published)
    started = time.perf_counter()
    cells = model_cells(recipes, seeds, encoders_of(dataset))
    outcomes = run_cells(dataset, cells, out, executor=executor, renew=renew, restamp=restamp)
    about = training_study(dataset, command, outcomes, seeds=seeds, metric=metric)
    made = _leaderboard(about, outcomes, load_split(dataset), out, against=against, own_processes=own_processes)
    seconds = time.perf_counter() - started
    result = replace(made, seconds=seconds, published=theirs, tuning=dict(tuning or {}))
    if result.unlike:
        say(result.unlike)
    _write(result, out, fingerprint_of(data_hashes(dataset), None))
    return result


def _checked(
    recipes: Mapping[str, Recipe], metric: str, against: str | None, beside_published: str | None
) -> Published | None:
    """The published numbers that are named; ``UsageError`` for a name that is none."""
    check_metric(metric)
    theirs = published(beside_published) if beside_published is not None else None
    if against is not None and against not in recipes:
        raise UsageError(f"no row is called {against!r}", hint=nearest(against, recipes))
    return theirs


def _leaderboard(
    about: Mapping[str, Any],
    outcomes: Sequence[Outcome[TrainingCell]],
    split: Split,
    out: Path,
    *,
    against: str | None,
    own_processes: bool,
) -> Leaderboard:
    """The rows of what was measured, tested against ``against`` or the best baseline."""
    metric = about["metric"]
    reference = against or best_baseline(make_rows(outcomes, metric=metric))
    rows = make_rows(outcomes, metric=metric, reference=reference, own_processes=own_processes)
    return Leaderboard(
        **about,
        rows=tuple(sorted(rows, key=lambda row: -row.mean(metric) if row.seeds else float("inf"))),
        reference=reference,
        chosen=against is None,
        segments=tuple(segments_of(outcomes, split, metric=metric, reference=reference)),
        curves=tuple(curves_of(out, rows, metric)),
        held_out_popularity=_held_out_popularity(outcomes),
    )


def _held_out_popularity(outcomes: Sequence[Outcome[TrainingCell]]) -> float | None:
    summaries = (outcome.result.summary for outcome in outcomes if outcome.result is not None)
    return next((float(s["exposure"]["held_out_popularity"]) for s in summaries if "exposure" in s), None)


def model_cells(
    recipes: Mapping[str, Recipe], seeds: Sequence[int], tables: Mapping[str, str] = {}
) -> list[TrainingCell]:
    """Every recipe at every seed, given the features that it reads of a data set with ``tables``."""
    return [
        TrainingCell(
            name=name,
            group=GROUP,
            recipe=replace(recipe, train=replace(recipe.train, seed=seed)),
            reads=reads_of(recipe, tables),
        )
        for name, recipe in recipes.items()
        for seed in seeds
    ]


def best_baseline(rows: Sequence[Row]) -> str:
    """The row with the greatest mean on validation of those that are not VIRAL; of all, where there is no other."""
    measured = [row for row in rows if row.seeds]
    baselines = [row for row in measured if row.model != OURS] or measured or list(rows)
    return max(baselines, key=lambda row: mean(row.valid) if row.valid else -1.0).name


def _write(result: Leaderboard, out: Path, data: str) -> None:
    rows, metric = result.rows, result.metric
    result_files.write_rows(out / result_files.CSV_FILE, rows, metric=metric, data=data, tuning=result.tuning)
    segment_tables.write_segments(out / segment_tables.CSV_FILE, result)
    result_files.write_results(out / result.FILE, result.to_json() | {"data_fingerprint": data})
    with using(ENGLISH):  # LaTeX without fonts for another script
        result_files.write_latex(out / result_files.LATEX_FILE, _latex(result))
        if (theirs := result.published) is not None:
            published_numbers.write_published(out / published_numbers.PUBLISHED_CSV, theirs, rows, result.unlike)
            caption = f"Published numbers of {theirs.name} and ours. Made by: {result.command}"
            latex = published_numbers.published_latex(theirs, rows, caption=caption, fault=result.unlike)
            result_files.write_latex(out / published_numbers.PUBLISHED_LATEX, [latex])
    write_report(out / result_files.REPORT_FILE, leaderboard_report(result))


def _latex(result: Leaderboard) -> list[str]:
    """The leaderboard, its tests, whom it serves, and what it shows and costs."""
    caption = (
        f"{result.data}, {len(result.seeds)} seeds; * p < 0.05 against {result.reference} in"
        f" {result.metric} (paired over users, Holm-corrected). Made by: {result.command}"
    )
    made = [result_files.latex_table(result.rows, metric=result.metric, caption=caption)]
    if result.segments:
        made.append(segment_tables.latex(result))
    texts = (tests_table(result), popularity(result), cost(result), budget(result))
    return made + [
        result_files.text_table(each.columns, each.rows, f"{each.heading}. {each.caption}") for each in texts
    ]
