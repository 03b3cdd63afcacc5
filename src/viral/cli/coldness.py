"""What ``viral compare --cold`` does: items withheld from everything, added cold, ranked."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viral.cli.common import show, show_json, table

if TYPE_CHECKING:
    from viral.recipe import Recipe
    from viral.retrieval.benchmark import ColdRow

COLD_FILE = "cold.json"


def compare_cold(
    dataset: Path, recipes: "Mapping[str, Recipe]", out: Path, *, seeds: Sequence[int], command: str, json_output: bool
) -> None:
    """Run the benchmark, write ``OUT/cold.json`` and show the rows."""
    from viral.dataset import Dataset
    from viral.encode import load_features
    from viral.files import write_json
    from viral.pipeline import load_split
    from viral.retrieval.benchmark import SHARE, cold_benchmark

    opened = Dataset.open(dataset)
    tables = load_features(opened.features_folder)
    rows = cold_benchmark(load_split(opened), tables, recipes, share=SHARE, seeds=seeds)
    document: dict[str, Any] = {"command": command, "dataset": opened.fingerprint, "share": SHARE, "seeds": list(seeds)}
    document["rows"] = [asdict(row) for row in rows]
    write_json(out / COLD_FILE, document)
    if json_output:
        show_json(document)
        return
    header = ["model", "way", "recall@20 of withheld", "95 %", "× random", "- content", "recall@20 of all", "95 %"]
    show(table(header, [_cells(row, rows[0]) for row in rows]))
    show(f"{SHARE:.0%} of the items withheld, {len(seeds)} seeds; ranked among the withheld, then among all")
    show(str(out / COLD_FILE))


def _cells(row: "ColdRow", chance: "ColdRow") -> list[Any]:
    content = row.against_content
    return [
        row.model, row.way, row.cold.mean, f"{row.cold.low:.4f} – {row.cold.high:.4f}",
        f"{row.cold.mean / max(chance.cold.mean, 1e-12):.2f}", f"{content.difference:+.4f} (p {content.p_value:.4f})",
        row.overall.mean, f"{row.overall.low:.4f} – {row.overall.high:.4f}",
    ]  # fmt: skip
