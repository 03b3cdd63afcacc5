"""Running cells: each once, one after the other or in several processes, and on from where a killed study was."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

from viral.base.errors import DataError, UsageError, ViralError
from viral.base.parallel import Executor, SerialExecutor
from viral.base.progress import say
from viral.base.provenance import commit
from viral.data.dataset import Dataset
from viral.data.features import FeatureTable
from viral.data.inputs import Fill, ModelInputs
from viral.data.preconditions import need
from viral.data.splitting import Split
from viral.evaluation import CUTOFFS, Metrics
from viral.evaluation.protocol import PROTOCOLS, measure
from viral.lab.report.wording import duration
from viral.lab.study.cells import (
    CHECKPOINT_FILE,
    Cell,
    CellResult,
    claim_checkpoint,
    data_hashes,
    fingerprint_of,
    keep_recipe,
    locked,
    note,
    read_result,
    write_result,
)
from viral.lab.study.code_fingerprint import code_of
from viral.run.configuration import configured
from viral.run.fitted_model import fit_model
from viral.run.pipeline import load_split
from viral.run.summary import summarise

CELLS_FOLDER, JOURNAL_FILE = "cells", "journal.jsonl"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a cell: a result, or the reason why there is none."""

    cell: Cell
    result: CellResult | None
    failure: str = ""


def run_cells(
    dataset: Dataset, cells: Sequence[Cell], out: Path, *, executor: Executor | None = None, renew: bool = False
) -> list[Outcome]:
    """Compute every cell that has no result below ``out`` yet; returns one outcome per cell, in order.

    A cell is kept in ``out/cells/<key>``, the key being the recipe and the bytes of the data: a finished one is not
    computed again, one that was stopped goes on from its training's checkpoint, cells with equal recipes are computed
    once, and a change of recipe or data leads to another folder. Two commands may run on one ``out`` at a time.
    A finished cell that other code computed (:mod:`viral.lab.study.code_fingerprint`) is used and said so, or with ``renew``
    computed anew; a stopped one of other code begins again.
    A ``ViralError`` in one cell is its outcome and does not end the others; wrong configurations and absent modalities
    are raised before the first cell.
    """
    check_cells(dataset, cells)
    need(load_split(dataset), "train", "valid", "test", where=str(dataset.path))
    hashes = data_hashes(dataset)
    keys = [cell.key(hashes) for cell in cells]
    first: dict[str, Cell] = {}
    for key, cell in zip(keys, cells, strict=True):
        first.setdefault(key, cell)
    jobs = {key: Job(dataset.path, cell.data(hashes), key, cell, out, renew) for key, cell in first.items()}
    there = {key: found for key, job in jobs.items() if (found := job.finished()) is not None}
    say(f"{len(jobs)} cells: {len(there)} are done, {len(jobs) - len(there)} to compute")
    for key in (key for key, found in there.items() if "recipe" not in found.summary):
        keep_recipe(jobs[key].folder, key, first[key])
    if others := sum(found.summary.get("code") != jobs[key].code for key, found in there.items()):
        say(f"{others} of those that are done are of other code than the present, or do not say; --renew: anew")
    failures = _compute_all([job for key, job in jobs.items() if key not in there], executor or SerialExecutor())
    return [
        Outcome(cell, None if key in failures else read_result(jobs[key].folder, key), failures.get(key, ""))
        for key, cell in zip(keys, cells, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Job:
    """A cell to compute, as it goes to a process."""

    dataset: Path
    data: str  # the fingerprint of what the cell is given
    key: str
    cell: Cell
    out: Path
    renew: bool = False  # a result of other code does not count

    @property
    def folder(self) -> Path:
        return self.out / CELLS_FOLDER / self.key

    @property
    def code(self) -> str:
        return code_of(configured(self.cell.recipe).model)

    def finished(self) -> CellResult | None:
        """The result that is there, unless it is to be renewed."""
        found = read_result(self.folder, self.key)
        return None if found is not None and self.renew and found.summary.get("code") != self.code else found


def _compute_all(jobs: Sequence[Job], executor: Executor) -> dict[str, str]:
    """Failures by key."""
    failures = {}
    started = time.monotonic()
    # All are handed over at once: a worker that is done must not wait for a slower one before it.
    outcomes = executor.map(compute, jobs, in_flight=max(1, len(jobs)))
    for number, (job, failure) in enumerate(zip(jobs, outcomes, strict=True), 1):
        left = (time.monotonic() - started) / number * (len(jobs) - number)
        label = f"{job.cell.group}: {job.cell.name}, seed {job.cell.seed}"
        say(f"[{number}/{len(jobs)}] {label}" + (f" failed: {failure}" if failure else f"; {duration(left)} left"))
        if failure:
            failures[job.key] = failure
    return failures


def compute(job: Job) -> str:
    """Train and measure one cell, unless somebody else has meanwhile; returns why it failed, or the empty string."""
    record = partial(note, job.out / JOURNAL_FILE, key=job.key, name=job.cell.name, seed=job.cell.seed)
    with locked(job.folder):
        if job.finished() is not None:
            return ""
        for rest in job.folder.glob(".*"):  # of a process that was killed while it wrote
            rest.unlink()
        if claim_checkpoint(job.folder, job.code):
            say(f"{job.cell.name}, seed {job.cell.seed}: the code has changed since it was stopped; it begins again")
        record(event="started", time=time.time())
        try:
            _train_and_measure(job)
        except ViralError as error:
            record(event="failed", time=time.time(), why=error.what)
            return str(error)
        record(event="finished", time=time.time())
        return ""


def _train_and_measure(job: Job) -> None:
    chosen = configured(job.cell.recipe)
    split, inputs = _prepared(job.dataset, job.data, chosen.recipe.fill, job.cell.reads)
    fitted = fit_model(chosen, inputs, split, checkpoint=job.folder / CHECKPOINT_FILE)
    ranker = fitted.ranker()
    measured = measure(ranker.scorer, split)
    metrics = measured[PROTOCOLS[0]]
    more = {
        "build_seconds": fitted.build_seconds,
        "cell": job.cell.name,
        "data": job.data,
        "commit": commit(),
        "code": job.code,
    }
    more |= job.cell.about | {"reads": list(fitted.model.reads)}
    summary = summarise(fitted, ranker, measured) | more | {"exposure": exposure_of(metrics, split)}
    write_result(job.folder, job.key, summary, metrics, split.users.ids)
    (job.folder / CHECKPOINT_FILE).unlink(missing_ok=True)


def exposure_of(metrics: Metrics, split: Split) -> dict[str, float]:
    """``popularity@20``: the mean number of training interactions of the items in users' first 20 places.

    It is the average recommendation popularity (Abdollahpouri et al., FLAIRS 2019), taken over all places that are
    filled. ``held_out_popularity`` is the same of the items that the users took in the test set: what they wanted.
    """
    degrees = split.train.item_degrees().double()
    shown = metrics.exposure.sum().clamp(min=1)
    wanted = degrees[metrics.pairs % len(metrics.exposure)].mean()
    return {
        f"popularity@{max(CUTOFFS)}": ((metrics.exposure * degrees).sum() / shown).item(),
        "held_out_popularity": wanted.item(),
    }


@lru_cache(maxsize=1)
def _prepared(path: Path, data: str, fill: Fill, reads: tuple[str, ...] | None) -> tuple[Split, ModelInputs]:
    """Split and inputs of the data set, read once for all cells of a row; what the key does not name is not there."""
    dataset = Dataset.open(path)
    names = sorted(modalities(dataset) if reads is None else reads)
    tables = [FeatureTable.load(dataset.features_folder / f"{name}.parquet") for name in names]
    split = load_split(dataset)
    inputs = ModelInputs.of(split, tables, fill=fill)
    if fingerprint_of(data_hashes(dataset), reads) != data:
        hint = "run the same command again: cells of the data as they are now are computed anew"
        raise DataError("the data have changed since the study began", where=str(path), hint=hint)
    return split, inputs


def check_cells(dataset: Dataset, cells: Sequence[Cell]) -> None:
    """Raise what would fail later: unknown models and configuration keys, modalities that the data set has not."""
    if not cells:
        raise UsageError("there is nothing to compute", hint="name at least one study and one seed")
    there = modalities(dataset)
    for cell in cells:
        _ = cell.model_key  # builds the configuration
        for modality in cell.reads or ():
            if modality not in there:
                raise DataError(
                    f"the data set has no {modality!r} features", where=f"{cell.group}: {cell.name}",
                    hint=remedy(modality, dataset.path),
                )  # fmt: skip


def modalities(dataset: Dataset) -> frozenset[str]:
    """Names of the feature tables."""
    return frozenset(path.stem for path in dataset.features_folder.glob("*.parquet"))


def remedy(modality: str, dataset: Path | str) -> str:
    """The command that makes a feature table."""
    prompts: Mapping[str, str] = {"description": "title", "description-plain": "plain"}
    if modality in prompts:
        encode = f" && viral encode {dataset} --prompt title" if modality == "description" else ""
        return f"viral enrich {dataset} --prompt {prompts[modality]}{encode}"
    return f"viral encode {dataset} --modality {modality}"
