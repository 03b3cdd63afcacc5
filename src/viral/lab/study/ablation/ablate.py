"""``viral ablate``: what each part, source and number of VIRAL is worth on a data set."""

import time
from collections.abc import Sequence
from pathlib import Path

from viral.base.errors import UsageError
from viral.base.parallel import Executor
from viral.base.progress import say
from viral.base.recipe import Recipe
from viral.data.dataset import Dataset
from viral.lab.report import write_report
from viral.lab.study import result_files
from viral.lab.study.ablation.ablation import (
    Ablation,
    LeftOut,
    ablation_cells,
    chosen,
    modality_shares,
    visual_contribution,
)
from viral.lab.study.ablation.ablation_report import ablation_report
from viral.lab.study.ablation.plain_descriptions import PLAIN, plain_descriptions
from viral.lab.study.ablation.variants import FULL, VariantGroup
from viral.lab.study.cells import data_hashes, fingerprint_of
from viral.lab.study.feature_reads import encoders_of
from viral.lab.study.runner import remedy, run_cells
from viral.lab.study.study import check_metric, curves_of, training_study
from viral.lab.study.training_cells import TrainingCell
from viral.lab.study.training_rows import make_rows


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
    restamp: int = 0,
) -> Ablation:
    """Run the groups of rows named ``studies``; leave ``results.csv``, ``.json``, ``.tex`` and ``report.html``.

    ``base`` is the full model. Cells that ``out`` holds already are not computed again; ``Ablation.failures`` names
    those that ended in a fault. Descriptions made with the plain prompt are encoded first, where there are any.
    ``renew`` and ``restamp`` are for cells that other code computed (:func:`viral.lab.study.runner.run_cells`).
    """
    started = time.perf_counter()
    base = base or Recipe(model="viral")
    picked = chosen(studies, base)
    check_metric(metric)
    cells, left_out = _plan(dataset, base, picked, seeds)
    outcomes = run_cells(dataset, cells, out, executor=executor, renew=renew, restamp=restamp)
    rows = make_rows(outcomes, metric=metric, reference=FULL)
    result = Ablation(
        **training_study(dataset, command, outcomes, seeds=seeds, metric=metric),
        rows=tuple(rows),
        reference=FULL,
        left_out=tuple(left_out),
        seconds=time.perf_counter() - started,
        curves=tuple(curves_of(out, rows, metric)),
        visual_contribution=visual_contribution(rows, metric),
        shares=modality_shares(rows, metric),
    )
    _write(result, out, fingerprint_of(data_hashes(dataset), None))
    return result


def _plan(
    dataset: Dataset, base: Recipe, groups: Sequence[VariantGroup], seeds: Sequence[int]
) -> tuple[list[TrainingCell], list[LeftOut]]:
    """The cells, once the features that only this study needs are made, and a word on the rows that cannot be run."""
    if base.model != "viral":
        raise UsageError(f"an ablation takes VIRAL apart, not {base.model!r}", hint='give a recipe of model = "viral"')
    if any(variant.settings.get("visual") == PLAIN for group in groups for variant in group.variants):
        plain_descriptions(dataset)
    cells, left_out = ablation_cells(base, groups, seeds, encoders_of(dataset))
    for row in left_out:
        say(f"left out: {row.group}: {row.name} needs {row.modality!r}; run: {remedy(row.modality, dataset.path)}")
    return cells, left_out


def _write(result: Ablation, out: Path, data: str) -> None:
    """Every file of the study, each whole or not at all."""
    result_files.write_rows(out / result_files.CSV_FILE, result.rows, metric=result.metric, data=data)
    result_files.write_results(out / result.FILE, result.to_json() | {"data_fingerprint": data})
    caption = (
        f"Ablation on {result.data}, {len(result.seeds)} seeds; * p < 0.05 against {FULL}"
        f" in {result.metric} (paired over users, Holm-corrected). Made by: {result.command}"
    )
    table = result_files.latex_table(result.rows, metric=result.metric, caption=caption)
    result_files.write_latex(out / result_files.LATEX_FILE, [table])
    write_report(out / result_files.REPORT_FILE, ablation_report(result))
