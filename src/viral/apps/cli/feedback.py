"""`viral feedback`: what users did while a run was served, added to a data set."""

from pathlib import Path
from typing import Annotated

import typer

from viral.apps.cli.options import Json, RunArgument
from viral.apps.cli.output import show, show_json, verb


@verb
def feedback(
    run: RunArgument,
    dataset: Annotated[Path, typer.Argument(metavar="DATASET", help="The data set of the run.")],
    out: Annotated[Path, typer.Option(help="The data set to write; DATASET itself is replaced in one step.")],
    file: Annotated[Path | None, typer.Option(help="The feedback (default: RUN.feedback.jsonl).")] = None,
    kind: Annotated[
        list[str] | None, typer.Option(help="What counts as choosing, repeatable (default: click cart purchase like).")
    ] = None,
    json_output: Json = False,
) -> None:
    """Add what users did while a run was served to a data set, as training rows for `viral update`."""
    from viral.data.dataset import Dataset
    from viral.data.feedback import POSITIVE_KINDS, default_file, merge

    report = merge(Dataset.open(dataset), file or default_file(run), out, kinds=kind or POSITIVE_KINDS)
    if json_output:
        show_json(report | {"path": str(out)})
        return
    show(f"{report['events']:,} events: {report['added']:,} new interactions, {report['new_users']:,} new users")
    dropped = {"known already": report["duplicates"], "of unknown items": report["unknown_items"]}
    dropped |= {f"of kind {name}": count for name, count in report["other_kinds"].items()}
    dropped |= {f"refused: {reason}": count for reason, count in report["refused_lines"].items()}
    told = [f"{count:,} {name}" for name, count in dropped.items() if count]
    for name, counts in report["variants"].items():
        show(f"variant {name}: " + ", ".join(f"{count:,} {kind}" for kind, count in counts.items()))
    show("left out: " + ("; ".join(told) or "nothing"))
    show(f"next: viral update {run} {out} --out {run}")
