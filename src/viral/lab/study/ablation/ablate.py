"""``viral ablate``: what each part, source and number of VIRAL is worth on a data set."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from viral.base.errors import UsageError, nearest
from viral.base.parallel import Executor
from viral.base.progress import say
from viral.base.provenance import commit
from viral.base.recipe import Recipe
from viral.data.dataset import Dataset
from viral.lab.report import write_report
from viral.lab.study import latex_tables as latex
from viral.lab.study import result_files as outputs
from viral.lab.study.ablation.groups import (
    FULL,
    TEXT_ONLY,
    TITLE_ONLY,
    VISUAL_ONLY,
    LeftOut,
    Study,
    ablation_cells,
    chosen,
)
from viral.lab.study.ablation.plain_descriptions import PLAIN, origins, plain_descriptions
from viral.lab.study.cells import Cell, data_hashes, fingerprint_of
from viral.lab.study.rows import USER_METRICS, Row, common, find_row, make_rows
from viral.lab.study.runner import Outcome, modalities, remedy, run_cells
from viral.lab.study.statistics import Interval, contribution, shares


@dataclass(frozen=True, slots=True, kw_only=True)
class Ablation:
    """A finished study of one data set: everything that its report and its files say."""

    dataset: Dataset
    rows: tuple[Row, ...]
    studies: tuple[Study, ...]
    left_out: tuple[LeftOut, ...]
    seeds: tuple[int, ...]
    metric: str
    command: str
    origins: dict[str, str]  # what made each feature table
    users: int | None
    seconds: float  # of this command; cells that were there cost none
    contributions: dict[str, Interval]  # of the visual modality, against each control
    shares: dict[str, Interval]  # of text and visual

    @property
    def failures(self) -> list[str]:
        return [f"{row.group}: {row.name}, {failure}" for row in self.rows for failure in row.failures]


def ablate(
    dataset: Dataset,
    out: Path,
    *,
    base: Recipe | None = None,
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    studies: Sequence[str] | None = None,
    metric: str = "recall@20",
    command: str = "",
    executor: Executor | None = None,
    renew: bool = False,
) -> Ablation:
    """Run the studies and leave ``results.csv``, ``.json``, ``.tex`` and ``report.html`` in ``out``.

    ``base`` is the full model. Cells that ``out`` holds already are not computed again; ``Ablation.failures`` names
    those that ended in a fault. Descriptions made with the plain prompt are encoded first, where there are any. With
    ``renew``, cells that other code computed are computed anew.
    """
    started = time.perf_counter()
    base = base or Recipe(model="viral")
    picked = chosen(studies, base)
    check_metric(metric)
    cells, left_out = _plan(dataset, base, picked, seeds)
    outcomes = run_cells(dataset, cells, out, executor=executor, renew=renew)
    rows = make_rows(outcomes, metric=metric, reference=FULL)
    result = Ablation(
        dataset=dataset,
        rows=tuple(rows),
        studies=picked,
        left_out=tuple(left_out),
        seeds=tuple(seeds),
        metric=metric,
        command=command,
        origins=origins(dataset),
        users=_users(outcomes),
        seconds=time.perf_counter() - started,
        contributions=contributions(rows, metric),
        shares=modality_shares(rows, metric),
    )
    write_outputs(result, out)
    return result


def check_metric(metric: str) -> None:
    """Raise ``UsageError`` for what is not measured for each user."""
    if metric not in USER_METRICS:
        raise UsageError(f"cannot test {metric!r}", hint=nearest(metric, USER_METRICS))


def _plan(
    dataset: Dataset, base: Recipe, studies: Sequence[Study], seeds: Sequence[int]
) -> tuple[list[Cell], list[LeftOut]]:
    """The cells, once the features that only this study needs are made, and a word on the rows that cannot be run."""
    if base.model != "viral":
        raise UsageError(f"an ablation takes VIRAL apart, not {base.model!r}", hint='give a recipe of model = "viral"')
    if any(variant.settings.get("visual") == PLAIN for study in studies for variant in study.variants):
        plain_descriptions(dataset)
    cells, left_out = ablation_cells(base, studies, seeds, modalities(dataset))
    for row in left_out:
        say(f"left out: {row.group}: {row.name} needs {row.modality!r}; run: {remedy(row.modality, dataset.path)}")
    return cells, left_out


def _users(outcomes: Sequence[Outcome]) -> int | None:
    return next((int(o.result.summary["users"]) for o in outcomes if o.result is not None), None)


def contributions(rows: Sequence[Row], metric: str) -> dict[str, Interval]:
    """The visual contribution, (full - control) / control, against text only and against the title-only control."""
    full = find_row(rows, FULL)
    found = {name: find_row(rows, name) for name in (TEXT_ONLY, TITLE_ONLY)}
    return {
        name: contribution(*common(full, control, metric=metric))
        for name, control in found.items()
        if full is not None and control is not None
    }


def modality_shares(rows: Sequence[Row], metric: str) -> dict[str, Interval]:
    """The shares of text and visual, where all three rows that they are made of are there."""
    full, text, visual = (find_row(rows, name) for name in (FULL, TEXT_ONLY, VISUAL_ONLY))
    if full is None or text is None or visual is None:
        return {}
    return shares(*common(full, text, visual, metric=metric))


def write_outputs(result: Ablation, out: Path) -> None:
    """Every file of the study, each whole or not at all."""
    from viral.lab.study.ablation.report import ablation_report

    data = fingerprint_of(data_hashes(result.dataset), None)
    outputs.write_csv(out / outputs.CSV_FILE, result.rows, metric=result.metric, data=data)
    outputs.write_results(out / outputs.JSON_FILE, to_json(result) | {"data_fingerprint": data})
    caption = (
        f"Ablation on {result.dataset.path.name}, {len(result.seeds)} seeds; * p < 0.05 against {FULL}"
        f" in {result.metric} (paired over users, Holm-corrected). Made by: {result.command}"
    )
    table = latex.latex_table(result.rows, metric=result.metric, caption=caption)
    outputs.write_latex(out / outputs.LATEX_FILE, [table])
    write_report(out / outputs.REPORT_FILE, ablation_report(result))


def to_json(result: Ablation) -> dict[str, Any]:
    """What ``viral ablate --json`` prints and ``results.json`` keeps."""
    return {
        "command": result.command,
        "dataset": str(result.dataset.path),
        "features": result.origins,
        "counts": dict(result.dataset.manifest["counts"]),
        "seeds": list(result.seeds),
        "metric": result.metric,
        "reference": FULL,
        "commit": commit(),
        "users": result.users,
        "seconds": result.seconds,
        "rows": outputs.rows_json(result.rows),
        "visual_contribution": {name: asdict(interval) for name, interval in result.contributions.items()},
        "shares": {name: asdict(interval) for name, interval in result.shares.items()},
        "left_out": [asdict(row) | {"run": remedy(row.modality, result.dataset.path)} for row in result.left_out],
        "failures": result.failures,
    }
