"""The cells of ``viral compare --cold``: a row at one seed, kept under what it depends on; none is done twice."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from viral.base.errors import DataError, UsageError, ViralError
from viral.base.files import atomic_write, fingerprint, read_json, sha256_file, write_json
from viral.base.language import marked
from viral.base.parallel import Executor, SerialExecutor
from viral.base.progress import say
from viral.base.provenance import commit
from viral.base.recipe import Recipe
from viral.data.dataset import Dataset
from viral.data.preconditions import need
from viral.encode import load_features
from viral.lab.report.wording import duration
from viral.lab.study.cells import (
    CHECKPOINT_FILE,
    RESULT_FILE,
    USERS_FILE,
    Cell,
    claim_checkpoint,
    data_hashes,
    fingerprint_of,
    locked,
    note,
)
from viral.lab.study.code_fingerprint import code_of
from viral.lab.study.cold import benchmark
from viral.lab.study.cold.benchmark import ByPlace, Recalls, by_chance, by_content, by_model, withhold
from viral.lab.study.runner import CELLS_FOLDER, JOURNAL_FILE
from viral.models.viral import new_items as newcomers
from viral.run.configuration import configured
from viral.run.pipeline import load_split
from viral.run.retrieval import feature_prediction as foretelling
from viral.run.retrieval import new_items as cold

VERSION = 1  # raised when the same recipe and data would be measured otherwise
RANDOM, CONTENT = marked("random"), marked("content neighbours")
BASELINES = (RANDOM, CONTENT)  # rows that are no model, and have no recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdCell:
    """One row at one seed, which is that of the withheld items and of the training."""

    name: str
    recipe: Recipe | None  # of a model
    seed: int
    share: float

    def key(self, data: str) -> str:
        """SHA-256 of all that the result depends on: recipe with its defaults, seed, share, and the data."""
        row = self.name if self.recipe is None else _cell(self).model_key
        return fingerprint("cold", VERSION, row, self.seed, self.share, data)

    @property
    def code(self) -> str:
        """SHA-256 of the code that trains the model, withholds, embeds and measures."""
        ours = [sha256_file(Path(str(module.__file__))) for module in (benchmark, cold, foretelling, newcomers)]
        return fingerprint(ours, "" if self.recipe is None else code_of(configured(self.recipe).model))


def _cell(cell: ColdCell) -> Cell:
    assert cell.recipe is not None
    return Cell(name=cell.name, group="cold", recipe=cell.recipe)


@dataclass(frozen=True, slots=True)
class ColdResult:
    """What a finished cell left: its summary, and recall by way, place and user on disk."""

    folder: Path
    summary: Mapping[str, Any]

    def recalls(self) -> dict[str, dict[str, tuple[tuple[str, ...], np.ndarray]]]:
        """User ids (n,) and Recall@20 (n,) by way and place."""
        import polars as pl

        frame = pl.read_parquet(self.folder / USERS_FILE)
        found: dict[str, dict[str, tuple[tuple[str, ...], np.ndarray]]] = {}
        for (way, place), rows in frame.group_by("way", "place", maintain_order=True):
            found.setdefault(str(way), {})[str(place)] = (tuple(rows["user_id"]), rows["recall@20"].to_numpy())
        return found


@dataclass(frozen=True, slots=True)
class ColdJob:
    """A cell to compute, as it goes to a process."""

    dataset: Path
    data: str
    key: str
    cell: ColdCell
    out: Path
    renew: bool = False  # a result of other code does not count

    @property
    def folder(self) -> Path:
        return self.out / CELLS_FOLDER / self.key

    def finished(self) -> ColdResult | None:
        """The result that is there, whole and this cell's, unless it is to be renewed."""
        try:
            summary = read_json(self.folder / RESULT_FILE)
            whole = summary["key"] == self.key and summary["users_sha256"] == sha256_file(self.folder / USERS_FILE)
            other = self.renew and summary["code"] != self.cell.code
        except (DataError, OSError, KeyError, TypeError):
            return None
        return ColdResult(self.folder, summary) if whole and not other else None


@dataclass(frozen=True, slots=True)
class ColdOutcome:
    """What became of a cell: a result, or the reason why there is none."""

    cell: ColdCell
    result: ColdResult | None
    failure: str = ""


def cold_cells(recipes: Mapping[str, Recipe], seeds: Sequence[int], share: float) -> list[ColdCell]:
    """Random order, content-only neighbours and every recipe, at every seed. Raises ``UsageError`` before any work."""
    for name in recipes:
        if name in BASELINES:
            raise UsageError(f"a row cannot be called {name!r}", hint="it is there anyway; rename the recipe's file")
    rows: dict[str, Recipe | None] = dict.fromkeys(BASELINES) | dict(recipes)
    cells = []
    for name, recipe in rows.items():
        for seed in seeds:
            seeded = None if recipe is None else replace(recipe, train=replace(recipe.train, seed=seed))
            cells.append(ColdCell(name=name, recipe=seeded, seed=seed, share=share))
    for cell in cells:
        if cell.recipe is not None:
            _ = _cell(cell).model_key  # finds the model and builds its configuration
    return cells


def run_cold(
    dataset: Dataset,
    cells: Sequence[ColdCell],
    out: Path,
    *,
    executor: Executor | None = None,
    renew: bool = False,
) -> list[ColdOutcome]:
    """Compute every cell that has no result below ``out`` yet; one outcome per cell, in order.

    As :func:`viral.lab.study.runner.run_cells`: a finished cell is not computed again, one that was stopped goes on
    from its training's checkpoint, and a ``ViralError`` in one cell does not end the others.
    """
    data = fingerprint_of(data_hashes(dataset), None)
    parts = load_split(dataset)
    need(parts, "train", "valid", where=str(dataset.path))
    for cell in cells[:1]:
        withhold(parts, cell.share, cell.seed)  # a share of nothing or everything is said before the first cell
    jobs = [ColdJob(dataset.path, data, cell.key(data), cell, out, renew) for cell in cells]
    there = {job.key: found for job in jobs if (found := job.finished()) is not None}
    waiting = [job for job in jobs if job.key not in there]
    say(f"{len(jobs)} cells: {len(jobs) - len(waiting)} are done, {len(waiting)} to compute")
    if others := sum(there[job.key].summary.get("code") != job.cell.code for job in jobs if job.key in there):
        say(f"{others} of those that are done are of other code than the present; --renew: anew")
    failures, started = {}, time.monotonic()
    outcomes = (executor or SerialExecutor()).map(compute_cold, waiting, in_flight=max(1, len(waiting)))
    for number, (job, failure) in enumerate(zip(waiting, outcomes, strict=True), 1):
        left = (time.monotonic() - started) / number * (len(waiting) - number)
        told = f" failed: {failure}" if failure else f"; {duration(left)} left"
        say(f"[{number}/{len(waiting)}] {job.cell.name}, seed {job.cell.seed}{told}")
        if failure:
            failures[job.key] = failure
    return [
        ColdOutcome(job.cell, None if job.key in failures else replace(job, renew=False).finished(),
                    failures.get(job.key, ""))
        for job in jobs
    ]  # fmt: skip


def compute_cold(job: ColdJob) -> str:
    """Train and measure one cell, unless somebody else has meanwhile; why it failed, or the empty string."""
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
            _measure(job)
        except ViralError as error:
            record(event="failed", time=time.time(), why=error.what)
            return str(error)
        record(event="finished", time=time.time())
        return ""


def _measure(job: ColdJob) -> None:
    dataset, cell = Dataset.open(job.dataset), job.cell
    if fingerprint_of(data_hashes(dataset), None) != job.data:
        raise DataError("the data have changed since the study began", where=str(job.dataset), hint="run it again")
    withheld, tables = withhold(load_split(dataset), cell.share, cell.seed), load_features(dataset.features_folder)
    summary: dict[str, Any] = {"row": cell.name, "seed": cell.seed, "share": cell.share}
    found: Mapping[str, ByPlace]
    if cell.recipe is None:
        found = {"": by_chance(withheld) if cell.name == RANDOM else by_content(withheld, tables)}
    else:
        chosen = configured(cell.recipe)
        found, report = by_model(withheld, tables, chosen, job.folder / CHECKPOINT_FILE)
        summary |= {"model": cell.recipe.model, "epochs": len(report.history), "seconds": sum(report.epoch_seconds),
                    "stopped_because": report.stopped_because}  # fmt: skip
    counts = {"items_withheld": len(withheld.item_ids), "pairs_withheld": len(withheld.relevant)}
    _keep(job, found, withheld.split.users.ids, summary | counts)
    (job.folder / CHECKPOINT_FILE).unlink(missing_ok=True)


def _keep(job: ColdJob, found: Mapping[str, ByPlace], user_ids: Sequence[str], summary: Mapping[str, Any]) -> None:
    """Users first, the summary that vouches for them last, each atomically."""
    import polars as pl

    def frame(way: str, place: str, recalls: Recalls) -> Any:
        ids = [user_ids[user] for user in recalls.users.tolist()]
        return pl.DataFrame({"user_id": ids, "recall@20": recalls.values}).with_columns(
            way=pl.lit(way), place=pl.lit(place)
        )

    frames = [frame(way, place, r) for way, places in found.items() for place, r in places.items()]
    with atomic_write(job.folder / USERS_FILE) as temporary:
        pl.concat(frames).write_parquet(temporary)
    means = {way: {place: float(r.values.mean()) for place, r in places.items()} for way, places in found.items()}
    kept = {"key": job.key, "users_sha256": sha256_file(job.folder / USERS_FILE), "recall@20": means}
    write_json(job.folder / RESULT_FILE, kept | dict(summary) | {"code": job.cell.code, "commit": commit()})
