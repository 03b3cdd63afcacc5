"""The verb that describes pictures, and what is done with the descriptions: edits, comparisons, the report."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from viral.apps.cli.description_sets import from_files, import_file, measured, show_from_files, show_set, told
from viral.apps.cli.options import DatasetArgument, DescriberSettings, Json, LangOption, speaking
from viral.apps.cli.output import show, show_json, table, verb
from viral.base.errors import UsageError

if TYPE_CHECKING:
    from viral.data.dataset import Dataset

Describer = Annotated[
    str | None,
    typer.Option(
        help="Who describes the pictures: pixel (no VLM; the default), qwen (in this process), openai (a server); "
        "or import, which takes words from a file (--set file=WORDS.csv)."
    ),
]
Prompt = Annotated[
    str | None, typer.Option(help="plain, title (default), chain-of-thought, attributes, each also -zh; or a file.")
]
LedgerFile = Annotated[
    Path | None, typer.Option(help="Where answers are kept (default: DATASET/ledger.sqlite); may be shared.")
]
RetryFailed = Annotated[bool, typer.Option("--retry-failed", help="Ask again for quarantined and refused.")]
FetchPrivate = Annotated[bool, typer.Option("--fetch-private", help="Fetch from addresses of your own network, too.")]
ComparedSets = Annotated[str | None, typer.Option(metavar="A,B", help="Compare sets: describers, or DESCRIBER-PROMPT.")]
ReportPage = Annotated[
    Path | None, typer.Option(help="Measure how good the descriptions are, beside other prompts', on a page here.")
]
Recheck = Annotated[bool, typer.Option("--recheck", help="Judge the stored descriptions again, by the rules of today.")]


@verb
def enrich(
    dataset: DatasetArgument,
    describer: Describer = None,
    prompt: Prompt = None,
    settings: DescriberSettings = None,
    ledger: LedgerFile = None,
    max_attempts: Annotated[int, typer.Option(min=1, help="Failed ones after which an item is quarantined.")] = 3,
    retry_failed: RetryFailed = False,
    fetch: Annotated[bool, typer.Option(help="Fetch pictures that are only named by URL.")] = True,
    fetch_private: FetchPrivate = False,
    edit: Annotated[str | None, typer.Option(metavar="ITEM", help="Describe ITEM by hand, with --text.")] = None,
    text: Annotated[str | None, typer.Option(help="The words for --edit.")] = None,
    unlock: Annotated[str | None, typer.Option(metavar="ITEM", help="Take the description by hand away.")] = None,
    compare: ComparedSets = None,
    report: ReportPage = None,
    recheck: Recheck = False,
    seed: Annotated[int, typer.Option(min=0, help="Of the report's and the comparison's samples.")] = 0,
    lang: LangOption = "en",
    json_output: Json = False,
) -> None:
    """Describe every picture in words; resumable, and nothing is described twice."""
    from viral.data.dataset import Dataset

    opened = Dataset.open(dataset)
    _check_words(edit, text, unlock, compare, recheck)
    with speaking(lang):
        if recheck:
            _recheck(opened, ledger, json_output)
        elif edit is not None or unlock is not None:
            _by_hand(opened, edit, text, unlock, json_output)
        elif compare is not None:
            _compare(opened, compare.split(","), prompt, seed, json_output)
        elif describer == "import":
            import_file(opened, settings or [], prompt, ledger, report, seed, json_output)
        elif sets := from_files(opened, describer, prompt):
            show_from_files(opened, sets, report, seed, json_output)
        else:
            options: dict[str, Any] = {"ledger": ledger, "max_attempts": max_attempts, "retry_failed": retry_failed}
            options |= {"fetch": fetch, "fetch_private": fetch_private}
            _describe(opened, describer, settings, prompt, report, seed, json_output, **options)


def _check_words(edit: str | None, text: str | None, unlock: str | None, compare: str | None, recheck: bool) -> None:
    if (edit is None) != (text is None):
        raise UsageError("--edit and --text go together", hint='for example --edit i1 --text "A red mug."')
    if sum(word is not None for word in (edit, unlock, compare, recheck or None)) > 1:
        raise UsageError("--edit, --unlock, --compare and --recheck are things to do one at a time")


def _describe(
    dataset: "Dataset",
    describer: str | None,
    settings: list[str] | None,
    prompt: str | None,
    report: Path | None,
    seed: int,
    json_output: bool,
    **options: Any,
) -> None:
    from viral.data.descriptions import DESCRIPTIONS_FOLDER
    from viral.run.dataset import describe_pictures

    shown = describe_pictures(dataset, describer or "pixel", prompt or "title", settings or [], **options)
    path = dataset.path / DESCRIPTIONS_FOLDER / shown.file_name
    page = measured(dataset, shown, report, seed) if report is not None else None
    if json_output:
        quality = {"quality": page["json"], "report": str(report)} if page else {}
        show_json(told(shown) | {"path": str(path)} | quality)
    else:
        show_set(shown, path)
        if page:
            show(f"{page['finding']}\nopen  {report}")
        show(f"next: viral encode {dataset.path}")
    if shown.counts["pending"]:
        raise typer.Exit(1)


def _recheck(dataset: "Dataset", ledger: Path | None, json_output: bool) -> None:
    from viral.enrich import LEDGER_FILE, Ledger
    from viral.enrich import recheck as again

    path = ledger or dataset.path / LEDGER_FILE
    if not path.is_file():
        raise UsageError("there is no ledger to check", where=str(path), hint="describe first: viral enrich DATASET")
    with Ledger(path) as book:
        found = again(dataset, book)
    if json_output:
        show_json({"looked_at": found.looked_at, "mended": found.mended, "refused": dict(found.refused)})
        return
    refused = sum(found.refused.values())
    show(f"{found.looked_at:,} descriptions in {path.name}: {found.mended:,} mended, {refused:,} refused")
    for reason, count in found.refused.items():
        show(f"  refused: {count:,} × {reason}")
    if found.mended or found.refused:
        show(f"next: viral enrich {dataset.path}, with the describer's settings as before, asks again for what failed")


def _by_hand(dataset: "Dataset", edited: str | None, text: str | None, unlocked: str | None, json_output: bool) -> None:
    from viral.enrich import edit, unlock

    if edited is not None:
        kept = edit(dataset, edited, text or "")
        said = f"{edited}: {kept}\nlocked: no run replaces it; next: viral encode {dataset.path}"
    else:
        kept = unlock(dataset, str(unlocked))
        said = f"{unlocked}: taken away: {kept}\nnext: viral enrich {dataset.path}"
    if json_output:
        show_json({"item": unlocked if edited is None else edited, "text": kept, "locked": edited is not None})
    else:
        show(said)


def _compare(dataset: "Dataset", names: list[str], prompt: str | None, seed: int, json_output: bool) -> None:
    from viral.lab.quality.set_comparison import compare

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
