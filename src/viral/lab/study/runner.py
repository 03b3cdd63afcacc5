"""Running cells: each once, one after the other or in several processes, and on from where a killed study was."""

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

from viral.base.errors import DataError, UsageError, ViralError
from viral.base.parallel import Executor, SerialExecutor
from viral.base.progress import say
from viral.data.dataset import Dataset
from viral.data.preconditions import need
from viral.lab.report.wording import duration
from viral.lab.study.cells import Cell, data_hashes
from viral.lab.study.kept_results import (
    CELLS_FOLDER,
    CHECKPOINT_FILE,
    JOURNAL_FILE,
    CellResult,
    adopt,
    amend,
    claim_checkpoint,
    locked,
    note,
    read_result,
    write_result,
)
from viral.run.pipeline import load_split

CellT = TypeVar("CellT", bound=Cell)
RESTAMP_FOLDER = "restamp"  # of the cells that are computed to be compared with the kept ones


@dataclass(frozen=True, slots=True)
class Outcome(Generic[CellT]):
    """What became of a cell: a result, or the reason why there is none."""

    cell: CellT
    result: CellResult | None
    failure: str = ""


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

    def finished(self) -> CellResult | None:
        """The result that is there, unless it is to be renewed."""
        found = read_result(self.folder, self.key)
        return None if found is not None and self.renew and found.code != self.cell.code else found


def run_cells(
    dataset: Dataset,
    cells: Sequence[CellT],
    out: Path,
    *,
    executor: Executor | None = None,
    renew: bool = False,
    restamp: int = 0,
) -> list[Outcome[CellT]]:
    """Compute every cell that has no result below ``out`` yet; returns one outcome per cell, in order.

    A cell is kept in ``out/cells/<key>``, the key being the recipe and the bytes of the data that it reads: a finished
    one is not computed again, one that was stopped goes on from its training's checkpoint, cells with equal recipes are
    computed once, and a change of recipe or data leads to another folder. Two commands may run on one ``out`` at a
    time. A finished cell that other code computed (:mod:`viral.lab.study.code_fingerprint`) is used and said so, with
    ``renew`` computed anew, with ``restamp`` taken for one of the present code where that many cells of its row, the
    quickest to train, give the same numbers again to the last digit; a stopped one of other code begins again.
    A ``ViralError`` in one cell is its outcome and does not end the others; wrong configurations and absent modalities
    are raised before the first cell.
    """
    check_cells(dataset, cells)
    hashes = data_hashes(dataset)
    keys = [cell.key(hashes) for cell in cells]
    first: dict[str, Cell] = {}
    for key, cell in zip(keys, cells, strict=True):
        first.setdefault(key, cell)
    jobs = {key: Job(dataset.path, cell.data(hashes), key, cell, out, renew) for key, cell in first.items()}
    executor = executor or SerialExecutor()
    for job in jobs.values():
        _bring_up_to_date(job, job.cell.former_keys(hashes))
    if restamp:
        _restamp([replace(job, renew=False) for job in jobs.values()], restamp, executor)
    there = {key: found for key, job in jobs.items() if (found := job.finished()) is not None}
    _say_what_is_done(jobs, there)
    failures = _compute_all([job for key, job in jobs.items() if key not in there], executor)
    return [
        Outcome(cell, None if key in failures else read_result(jobs[key].folder, key), failures.get(key, ""))
        for key, cell in zip(keys, cells, strict=True)
    ]


def _say_what_is_done(jobs: Mapping[str, Job], there: Mapping[str, CellResult]) -> None:
    say(f"{len(jobs)} cells: {len(there)} are done, {len(jobs) - len(there)} to compute")
    if others := sum(found.code != jobs[key].cell.code for key, found in there.items()):
        said = "are of other code than the present, or do not say"
        say(f"{others} of those that are done {said}; --renew: anew; --restamp: compare")


def _bring_up_to_date(job: Job, former_keys: Sequence[str]) -> None:
    """Take over what an older version kept under another key, and add what it did not say and the key determines."""
    found = read_result(job.folder, job.key)
    for key in former_keys if found is None else ():
        former = read_result(job.folder.with_name(key), key)
        if former is not None:
            adopt(former, job.folder, job.key, data=job.data)
            found = read_result(job.folder, job.key)
    if found is not None and not job.cell.about.keys() <= found.summary.keys():
        with locked(job.folder):
            amend(found, **job.cell.about)


def _compute_all(jobs: Sequence[Job], executor: Executor) -> dict[str, str]:
    """Failures by key."""
    failures = {}
    started = time.monotonic()
    # All are handed over at once: a worker that is done must not wait for a slower one before it.
    outcomes = executor.map(compute, jobs, in_flight=max(1, len(jobs)))
    for number, (job, failure) in enumerate(zip(jobs, outcomes, strict=True), 1):
        left = (time.monotonic() - started) / number * (len(jobs) - number)
        label = f"{job.cell.label}, seed {job.cell.seed}"
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
        if claim_checkpoint(job.folder, job.cell.code):
            say(f"{job.cell.name}, seed {job.cell.seed}: the code has changed since it was stopped; it begins again")
        record(event="started", time=time.time())
        try:
            found = job.cell.compute(job.dataset, job.data, job.folder / CHECKPOINT_FILE)
            write_result(job.folder, job.key, found.summary, found.tables)
        except ViralError as error:
            record(event="failed", time=time.time(), why=error.what)
            return str(error)
        (job.folder / CHECKPOINT_FILE).unlink(missing_ok=True)
        record(event="finished", time=time.time())
        return ""


def _restamp(jobs: Sequence[Job], number: int, executor: Executor) -> None:
    """Stamp kept cells with the present code, row by row, where it is shown that it gives the same numbers."""
    stale: dict[tuple[str, str | None], list[tuple[Job, CellResult]]] = {}
    for job in jobs:
        found = job.finished()
        if found is not None and found.code != job.cell.code:
            stale.setdefault((job.cell.row_key, found.code), []).append((job, found))
    scratch = jobs[0].out / RESTAMP_FOLDER if jobs else Path()
    for kept in stale.values():
        kept.sort(key=lambda pair: pair[0].cell.training_seconds(pair[1].summary))
    trials = [replace(job, out=scratch, renew=True) for kept in stale.values() for job, _ in kept[:number]]
    failures = _compute_all(trials, executor)
    for kept in stale.values():
        label = kept[0][0].cell.label
        unequal = [fault for pair in kept[:number] if (fault := _unequal(*pair, scratch, failures))]
        if unequal:
            say(f"{label}: {'; '.join(unequal)}: its {len(kept)} cells stay those of other code; --renew: anew")
            continue
        for job, found in kept:
            with locked(job.folder):
                shown = [pair[0].cell.seed for pair in kept[:number]]
                amend(found, code=job.cell.code, restamped={"from": found.code, "shown_by_seeds": shown})
        say(f"{label}: the present code gives the same numbers; {len(kept)} cells are stamped with it")
    shutil.rmtree(scratch, ignore_errors=True)


def _unequal(job: Job, kept: CellResult, scratch: Path, failures: Mapping[str, str]) -> str:
    """What of a kept cell the present code does not give again, to the last digit; the empty string where all is."""
    seed = f"seed {job.cell.seed}"
    again = read_result(scratch / CELLS_FOLDER / job.key, job.key)
    if again is None or job.key in failures:
        return f"{seed} failed: {failures.get(job.key, 'no result')}"
    names = [name for name in job.cell.MEASURED if again.summary.get(name) != kept.summary.get(name)]
    if not names and not again.users().equals(kept.users()):
        names = ["the users' values"]
    return f"{seed} differs in {', '.join(names)}" if names else ""


def check_cells(dataset: Dataset, cells: Sequence[Cell]) -> None:
    """Raise what would fail later: unknown models and configuration keys, modalities that the data set has not."""
    if not cells:
        raise UsageError("there is nothing to compute", hint="name at least one study and one seed")
    there = modalities(dataset)
    for cell in cells:
        _ = cell.row_key  # builds the configuration
        for modality in cell.reads or ():
            if modality not in there:
                raise DataError(
                    f"the data set has no {modality!r} features", where=cell.label,
                    hint=remedy(modality, dataset.path),
                )  # fmt: skip
    need(load_split(dataset), *cells[0].NEEDS, where=str(dataset.path))


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
