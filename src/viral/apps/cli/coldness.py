"""What ``viral compare --cold`` shows: items withheld from everything, added cold, ranked."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from viral.apps.cli.options import speaking
from viral.apps.cli.output import show, show_json, table

if TYPE_CHECKING:
    from viral.base.parallel import Executor
    from viral.base.recipe import Recipe


def compare_cold(
    dataset: Path,
    recipes: "Mapping[str, Recipe]",
    out: Path,
    *,
    seeds: Sequence[int],
    command: str,
    executor: "Executor",
    renew: bool,
    lang: str,
    json_output: bool,
) -> None:
    """Run the study and show its rows; ends with status 1 where a cell failed."""
    from viral.base.progress import say
    from viral.data.dataset import Dataset
    from viral.lab.study.cold.cold_study import REPORT_FILE, study_json
    from viral.lab.study.cold.cold_study import compare_cold as run

    with speaking(lang):
        study = run(Dataset.open(dataset), recipes, out, seeds=seeds, command=command, executor=executor, renew=renew)
    if json_output:
        show_json(study_json(study))
    else:
        show(_tables(study))
        show(f"\nopen  {out / REPORT_FILE}")
    for failure in study.failures:
        say(f"failed: {failure}")
    if study.failures:
        raise typer.Exit(1)


def _tables(study: Any) -> str:
    from viral.lab.study.cold.cold_study import HEADINGS, label, place_cells

    columns = ["", "recall@20", "95 % (users)", "over seeds", "× random (95 %)", "- content", "95 %", "p (Holm)"]
    made = []
    for place, heading in HEADINGS.items():
        rows = [[label(row), *place_cells(row.places[place])] for row in study.rows if place in row.places]
        made.append(f"{heading}\n{table(columns, rows)}")
    seeds = len(study.seeds)
    return "\n\n".join([*made, f"{study.share:.0%} of the items withheld, other ones at each of {seeds} seeds"])
