"""The verb that describes pictures, and what is done with the descriptions: edits, comparisons, the report."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from viral.cli.common import Json, show, show_json, table, verb
from viral.cli.data import DatasetArgument
from viral.errors import UsageError

if TYPE_CHECKING:
    from viral.dataset import Dataset
    from viral.enrich import Descriptions, Terms


@verb
def enrich(
    dataset: DatasetArgument,
    describer: Annotated[
        str,
        typer.Option(help="Who describes the pictures: pixel (no VLM), qwen (in this process) or openai (a server)."),
    ] = "pixel",
    prompt: Annotated[
        str | None, typer.Option(help="plain, title (default), chain-of-thought, attributes, each also -zh; or a file.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="KEY=VALUE of the describer's configuration, repeatable.")
    ] = None,
    ledger: Annotated[
        Path | None, typer.Option(help="Where answers are kept (default: DATASET/ledger.sqlite); may be shared.")
    ] = None,
    max_attempts: Annotated[int, typer.Option(min=1, help="Failed ones after which an item is quarantined.")] = 3,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Ask again for quarantined and refused.")
    ] = False,
    fetch: Annotated[bool, typer.Option(help="Fetch pictures that are only named by URL.")] = True,
    fetch_private: Annotated[
        bool, typer.Option("--fetch-private", help="Fetch from addresses of your own network, too.")
    ] = False,
    edit: Annotated[str | None, typer.Option(metavar="ITEM", help="Describe ITEM by hand, with --text.")] = None,
    text: Annotated[str | None, typer.Option(help="The words for --edit.")] = None,
    unlock: Annotated[str | None, typer.Option(metavar="ITEM", help="Take the description by hand away.")] = None,
    compare: Annotated[
        str | None, typer.Option(metavar="A,B", help="Compare sets: describers, or DESCRIBER-PROMPT.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Measure how good the descriptions are, beside other prompts', on a page here.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the report's and the comparison's samples.")] = 0,
    json_output: Json = False,
) -> None:
    """Describe every picture in words; resumable, and nothing is described twice."""
    from viral.dataset import Dataset

    opened = Dataset.open(dataset)
    if (edit is None) != (text is None):
        raise UsageError("--edit and --text go together", hint='for example --edit i1 --text "A red mug."')
    if sum(word is not None for word in (edit, unlock, compare)) > 1:
        raise UsageError("--edit, --unlock and --compare are things to do one at a time")
    if edit is not None:
        _edit(opened, edit, text or "", json_output)
    elif unlock is not None:
        _unlock(opened, unlock, json_output)
    elif compare is not None:
        _compare(opened, compare.split(","), prompt, seed, json_output)
    else:
        terms = _terms(opened, max_attempts, retry_failed, fetch, fetch_private)
        _describe(opened, describer, settings or [], prompt or "title", ledger, terms, report, seed, json_output)


def _terms(dataset: "Dataset", max_attempts: int, retry_failed: bool, fetch: bool, fetch_private: bool) -> "Terms":
    from viral.enrich import Terms, load_edits
    from viral.fetch import FETCHED, FetchConfig, Fetcher

    fetcher = Fetcher(dataset.path / FETCHED, FetchConfig(allow_private=fetch_private)) if fetch else None
    edits = load_edits(dataset)
    return Terms(max_attempts=max_attempts, retry_failed=retry_failed, locked=edits, fetcher=fetcher)


def _describe(
    dataset: "Dataset",
    describer: str,
    settings: list[str],
    prompt: str,
    ledger: Path | None,
    terms: "Terms",
    report: Path | None,
    seed: int,
    json_output: bool,
) -> None:
    from viral.enrich import LEDGER_FILE, Ledger, describer_named, load_prompt, save_descriptions
    from viral.enrich import enrich as run
    from viral.enrich.edits import overlaid

    chosen, asked = describer_named(describer, settings), load_prompt(prompt)
    with Ledger(ledger or dataset.path / LEDGER_FILE) as book:
        descriptions = run(dataset.catalog(), chosen, asked, book, terms=terms)
    path = save_descriptions(descriptions, dataset.path)
    measured = _report(dataset, descriptions, report, seed) if report is not None else None
    shown = replace(descriptions, rows=overlaid(descriptions.rows, terms.locked))
    if json_output:
        quality = {"quality": measured["json"], "report": str(report)} if measured else {}
        show_json(_told(shown) | {"path": str(path)} | quality)
    else:
        _show(shown, path)
        if measured:
            show(f"{measured['finding']}\nopen  {report}")
        show(f"next: viral encode {dataset.path}")
    if shown.counts["pending"]:
        raise typer.Exit(1)


def _told(descriptions: "Descriptions") -> dict[str, Any]:
    return {
        "describer": descriptions.describer,
        "prompt": descriptions.prompt,
        "counts": dict(descriptions.counts),
        "flags": dict(descriptions.flags),
        "edited": sum(row.edited for row in descriptions.rows),
        "spent": asdict(descriptions.spent),
    }


def _show(descriptions: "Descriptions", path: Path) -> None:
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


def _report(dataset: "Dataset", descriptions: "Descriptions", path: Path, seed: int) -> dict[str, Any]:
    """Measure the descriptions beside those by the same describer's other prompts; write the page."""
    from viral.quality import description_quality, descriptions_by_prompt
    from viral.quality.page import finding, write_quality_report
    from viral.quality.statuses import NOTHING_IN_COMMON, status_report
    from viral.report import write_report

    sets = descriptions_by_prompt(dataset, descriptions.describer.partition("/")[0])
    if not set.intersection(*(set(one.texts) for one in sets.values())):
        write_report(path, status_report(dataset, sets, seed))
        return {"json": None, "finding": NOTHING_IN_COMMON}
    quality = description_quality(dataset, sets, seed=seed)
    write_quality_report(path, dataset, sets, quality)
    return {"json": quality.to_json(), "finding": finding(quality)}


def _edit(dataset: "Dataset", item_id: str, text: str, json_output: bool) -> None:
    from viral.enrich import edit

    kept = edit(dataset, item_id, text)
    if json_output:
        show_json({"item": item_id, "text": kept, "locked": True})
    else:
        show(f"{item_id}: {kept}\nlocked: no run replaces it; next: viral encode {dataset.path}")


def _unlock(dataset: "Dataset", item_id: str, json_output: bool) -> None:
    from viral.enrich import unlock

    dropped = unlock(dataset, item_id)
    if json_output:
        show_json({"item": item_id, "text": dropped, "locked": False})
    else:
        show(f"{item_id}: taken away: {dropped}\nnext: viral enrich {dataset.path}")


def _compare(dataset: "Dataset", names: list[str], prompt: str | None, seed: int, json_output: bool) -> None:
    from viral.enrich.compare import compare

    found = compare(dataset, [name.strip() for name in names], prompt=prompt, seed=seed)
    if json_output:
        show_json({"seed": seed, "comparisons": [one.to_json() for one in found]})
        return
    header = ["sets", "both", "first only", "second only", "neither", "words shared", "cosine", "of others"]
    fields = ("both", "first_only", "second_only", "neither", "overlap", "cosine", "cosine_others")
    rows = [[" and ".join(one.sets), *(getattr(one, name) for name in fields)] for one in found]
    show(table(header, rows))
    for one in found:
        show(f"\nleast alike by {one.sets[0]} and {one.sets[1]}:")
        for worst in one.worst:
            show(f"  {worst.item_id} (cosine {worst.cosine:.2f})" + "".join(f"\n    {said}" for said in worst.texts))
