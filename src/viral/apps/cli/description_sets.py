"""What `viral enrich` says of sets of descriptions, and `viral enrich --describer import`: those made elsewhere."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viral.apps.cli.output import show, show_json
from viral.base.errors import UsageError
from viral.base.language import ENGLISH, using

if TYPE_CHECKING:
    from viral.data.dataset import Dataset
    from viral.enrich import Descriptions
    from viral.enrich.import_descriptions import ImportConfig, Imported

SHOWN = 3  # rows left out that are named here; all are in the file


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


def import_file(
    dataset: "Dataset",
    settings: Sequence[str],
    prompt: str | None,
    ledger: Path | None,
    report: Path | None,
    seed: int,
    json_output: bool,
) -> None:
    """Take a file of words in, and say what became of it."""
    from viral.enrich import LEDGER_FILE, Ledger
    from viral.enrich.import_descriptions import REJECTED_FILE, import_words

    config = _config(settings, prompt)
    with Ledger(ledger or dataset.path / LEDGER_FILE) as book:
        found = import_words(dataset, config, book)
    rejected = dataset.path / REJECTED_FILE
    pages = _pages(dataset, [one.descriptions for one in found.sets], report, seed)
    if json_output:
        show_json(_document(dataset, found, rejected) | pages)
    else:
        _show_imported(dataset, found, rejected)
        _show_pages(pages, report)
        show(f"next: viral encode {dataset.path}{_choice(dataset, found)}")


def from_files(dataset: "Dataset", describer: str | None, prompt: str | None) -> "tuple[Descriptions, ...]":
    """The sets that came from files, if they are what is meant: named, or no describer is and no item has a picture."""
    from viral.enrich import DESCRIBERS
    from viral.enrich.import_descriptions import imported_sets

    if describer in DESCRIBERS:
        return ()
    there = imported_sets(dataset, describer)
    if describer is None and there and any(item.image or item.image_url for item in dataset.catalog()):
        return ()
    sets = tuple(one for one in there if prompt in (None, one.prompt))
    if there and not sets:
        names = ", ".join(f"{one.describer.partition('/')[0]} with prompt {one.prompt}" for one in there)
        hint = f"there are words by {names}; more are taken in by --describer import --set file=WORDS.csv"
        raise UsageError(f"no words from a file with prompt {prompt}", where=str(dataset.path), hint=hint)
    return sets


def show_from_files(
    dataset: "Dataset", sets: "Sequence[Descriptions]", report: Path | None, seed: int, json_output: bool
) -> None:
    """Tell of words that came from files: nobody is asked, nothing is written but the report."""
    from viral.data.descriptions import DESCRIPTIONS_FOLDER

    pages = _pages(dataset, sets, report, seed)
    folder = dataset.path / DESCRIPTIONS_FOLDER
    if json_output:
        told_sets = [told(_overlaid(dataset, one)) | {"path": str(folder / one.file_name)} for one in sets]
        show_json({"sets": told_sets} | pages)
        return
    for one in sets:
        show_set(_overlaid(dataset, one), folder / one.file_name)
    show(
        "these words came from a file: no describer is asked; --describer NAME names one, --describer import takes more"
    )
    _show_pages(pages, report)


def _config(settings: Sequence[str], prompt: str | None) -> "ImportConfig":
    from viral.base.recipe import build
    from viral.base.setting_words import setting
    from viral.enrich.import_descriptions import ImportConfig

    values = dict(setting(word) for word in settings)
    if "file" not in values:
        hint = "for example --describer import --set file=words.csv --set describer=NAME --prompt plain"
        raise UsageError("which file has the words?", where="--describer import", hint=hint)
    if prompt is not None:
        if values.get("prompt", prompt) != prompt:
            raise UsageError("--prompt and --set prompt name two", where="--prompt", hint="leave one out")
        values["prompt"] = prompt
    return build(ImportConfig, values, where="--set")


def _document(dataset: "Dataset", found: "Imported", rejected: Path) -> dict[str, Any]:
    sets = [
        told(_overlaid(dataset, one.descriptions))
        | {name: getattr(one, name) for name in ("added", "replaced", "unchanged", "declined")}
        | {"path": str(one.path)}
        for one in found.sets
    ]
    reasons = Counter(one.reason for one in found.file.rejections)
    return {
        "file": str(found.file.path), "sha256": found.file.sha256, "sets": sets, "left_out": dict(reasons),
        "first_left_out": [asdict(one) for one in found.file.rejections[:SHOWN]], "rejected": str(rejected),
    }  # fmt: skip


def _show_imported(dataset: "Dataset", found: "Imported", rejected: Path) -> None:
    for one in found.sets:
        show_set(_overlaid(dataset, one.descriptions), one.path)
        counts = f"{one.added:,} added, {one.replaced:,} replaced, {one.unchanged:,} unchanged"
        show(f"  of {found.file.path}: {counts}" + (f", {one.declined:,} no description" if one.declined else ""))
    rejections = found.file.rejections
    for reason, count in Counter(one.reason for one in rejections).items():
        show(f"  left out: {count:,} × {reason}")
    for fault in rejections[:SHOWN]:
        show(f"    {fault.file} row {fault.row}, field {fault.field}: {fault.reason}: {fault.value!r}")
    if rejections:
        show(f"    all of them: {rejected}")


def _choice(dataset: "Dataset", found: "Imported") -> str:
    """The options that tell `viral encode` which set is meant, where there are several with words."""
    from viral.enrich import all_descriptions

    if sum(bool(one.texts) for one in all_descriptions(dataset)) < 2:
        return ""
    chosen = found.sets[0].descriptions
    return f" --describer {chosen.describer.partition('/')[0]} --prompt {chosen.prompt}"


def _overlaid(dataset: "Dataset", descriptions: "Descriptions") -> "Descriptions":
    from viral.data.descriptions import overlaid
    from viral.enrich import load_edits

    return replace(descriptions, rows=overlaid(descriptions.rows, load_edits(dataset)))


def _pages(dataset: "Dataset", sets: "Sequence[Descriptions]", report: Path | None, seed: int) -> dict[str, Any]:
    """The report on the sets' describer, if one is asked for."""
    if report is None:
        return {}
    if len(names := sorted({one.describer.partition("/")[0] for one in sets})) > 1:
        hint = f"viral enrich {dataset.path} --report {report} --describer NAME, of {', '.join(names)}"
        raise UsageError("a report is of one describer", where="--report", hint=hint)
    page = measured(dataset, sets[0], report, seed)
    return {"quality": page["json"], "report": str(report), "finding": page["finding"]}


def _show_pages(pages: dict[str, Any], report: Path | None) -> None:
    if pages:
        show(f"{pages['finding']}\nopen  {report}")
