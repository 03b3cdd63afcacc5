"""How trainings went: a metric on validation and the loss, by epoch."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from viral.lab.report import Curve
from viral.lab.study.kept_results import cells_of_row, kept_cells
from viral.lab.study.training_rows import Row


def curve(name: str, summary: Mapping[str, Any], metric: str) -> Curve | None:
    """One training, where it was validated more than once; None too where its history is damaged."""
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


def curves_of(study: Path, rows: Sequence[Row], metric: str) -> Iterator[Curve]:
    """The first seed of each row that is trained in epochs, from the cells that the study kept, best row first."""
    cells = kept_cells(study)
    for row in sorted((row for row in rows if row.seeds), key=lambda row: -row.mean(metric)):
        for cell in cells_of_row(cells, row.name, row.model_key, row.seeds)[:1]:
            if (made := curve(row.name, cell.summary, metric)) is not None:
                yield made
