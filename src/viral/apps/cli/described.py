"""What `viral enrich` tells of a set of descriptions, in text, as JSON and on a page."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viral.apps.cli.output import show
from viral.base.language import ENGLISH, using

if TYPE_CHECKING:
    from viral.data.dataset import Dataset
    from viral.enrich import Descriptions


def told(descriptions: "Descriptions") -> dict[str, Any]:
    """Whose words they are, what became of the items, what is conspicuous and what it took."""
    return {
        "describer": descriptions.describer,
        "prompt": descriptions.prompt,
        "counts": dict(descriptions.counts),
        "flags": dict(descriptions.flags),
        "edited": sum(row.edited for row in descriptions.rows),
        "spent": asdict(descriptions.spent),
    }


def show_set(descriptions: "Descriptions", path: Path) -> None:
    """The same in lines, with the first descriptions and the first item without one."""
    spent = descriptions.spent
    show(f"{path}: " + ", ".join(f"{count:,} {status}" for status, count in descriptions.counts.items() if count))
    if edited := sum(row.edited for row in descriptions.rows):
        show(f"  described by hand, and locked: {edited:,}")
    if conspicuous := {flag: count for flag, count in descriptions.flags.items() if count}:
        show("  conspicuous: " + ", ".join(f"{count:,} × {flag}" for flag, count in conspicuous.items()))
    if spent.tokens_in or spent.cost:
        show(
            f"  spent: {spent.asked:,} asked, {spent.tokens_in:,} + {spent.tokens_out:,} tokens, {spent.cost:.4f} money"
        )
    for row in [row for row in descriptions.rows if row.status == "done"][:3]:
        show(f"  {row.item_id}: {row.text}")
    if fault := next((row for row in descriptions.rows if row.error), None):
        show(f"  the first without one, {fault.item_id} ({fault.status}): {fault.error}")


def measured(dataset: "Dataset", descriptions: "Descriptions", path: Path, seed: int) -> dict[str, Any]:
    """Measure the descriptions beside those by the same describer's other prompts; write the page."""
    from viral.lab.quality import description_quality, descriptions_by_prompt
    from viral.lab.quality.quality_page import finding, write_quality_report
    from viral.lab.quality.status_sections import NOTHING_IN_COMMON, status_report
    from viral.lab.report import write_report

    sets = descriptions_by_prompt(dataset, descriptions.describer.partition("/")[0])
    if not set.intersection(*(set(one.texts) for one in sets.values())):
        write_report(path, status_report(dataset, sets, seed))
        return {"json": None, "finding": NOTHING_IN_COMMON}  # what the command says is English, the page may not be
    quality = description_quality(dataset, sets, seed=seed)
    write_quality_report(path, dataset, sets, quality)
    with using(ENGLISH):
        return {"json": quality.to_json(), "finding": finding(quality)}
