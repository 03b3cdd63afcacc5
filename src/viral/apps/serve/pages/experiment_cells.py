"""The trainings that a study kept, found again by the row that they are of."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from viral.apps.serve.pages.experiment_files import Found, document_of, read_document
from viral.base.errors import DataError
from viral.lab.report import Curve
from viral.lab.study.cells import RESULT_FILE
from viral.lab.study.rows import Row
from viral.lab.study.runner import CELLS_FOLDER

MOST_CELLS = 10_000  # trainings of one study


@dataclass(frozen=True, slots=True)
class Kept:
    """A finished cell: all that is kept in memory of the many that are not shown."""

    folder: Path
    name: str  # of the first row that had its recipe
    model_key: str  # of its recipe; "" where an older version wrote it
    seed: int
    modified: int


def kept_cells(found: Found) -> list[Kept]:
    """A study's finished cells, the oldest first."""
    cells = []
    for file in sorted((found.folder / CELLS_FOLDER).glob(f"*/{RESULT_FILE}"))[:MOST_CELLS]:
        try:
            cells.append(_cell(file, file.stat().st_mtime_ns))
        except (DataError, OSError, TypeError, ValueError):
            continue  # the study computes it again
    return sorted(cells, key=lambda cell: cell.modified)


@lru_cache(maxsize=2 * MOST_CELLS)
def _cell(file: Path, modified: int) -> Kept:
    summary = read_document(file)
    name, model_key = str(summary.get("cell", "")), str(summary.get("model_key", ""))
    return Kept(file.parent, name, model_key, int(summary.get("seed", 0)), modified)


def of_row(cells: Sequence[Kept], row: Row) -> list[Path]:
    """Folders of a row's cells, one for each of its seeds: the newest, where data or recipe have changed meanwhile.

    A cell is a row's by its recipe, since rows of equal recipes share one; those of older versions are by their name.
    """
    mine = (cell for cell in cells if (cell.model_key == row.model_key if cell.model_key else cell.name == row.name))
    by_seed = {cell.seed: cell.folder for cell in mine}
    return [by_seed[seed] for seed in row.seeds if seed in by_seed]


def summary_of(cell: Path) -> Mapping[str, Any]:
    """What a cell measured; empty where it cannot be read."""
    try:
        return document_of(cell / RESULT_FILE, (cell / RESULT_FILE).stat().st_mtime_ns)
    except (DataError, OSError):
        return {}


def curve(name: str, summary: Mapping[str, Any], metric: str) -> Curve | None:
    """How one training went, where it was validated more than once; None too where its history is damaged."""
    try:
        history = [one for one in summary["history"] if metric in one["valid"]]
        made = Curve(
            model=name,
            epochs=tuple(int(one["epoch"]) for one in history),
            valid=tuple(float(one["valid"][metric]) for one in history),
            loss=tuple(math.fsum(map(float, one["losses"].values())) for one in history),
            best_epoch=summary["valid"].get("best_epoch"),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    return made if len(made.epochs) > 1 else None
