"""`viral update`: a run goes on from changed data."""

from pathlib import Path
from typing import Annotated, Any

import typer

from viral.apps.cli.options import DescriberName, DescriberSettings, Json, PromptName, RunArgument, TrustRun
from viral.apps.cli.output import show, show_exposure, show_json, verb


@verb
def update(
    run: RunArgument,
    dataset: Annotated[Path, typer.Argument(metavar="DATASET", help="The data set as it is now.")],
    out: Annotated[Path, typer.Option(help="The folder of the new run; RUN itself is replaced in one step.")],
    epochs: Annotated[
        int | None, typer.Option(min=1, help="To train (default: 12 % of those that training took from scratch).")
    ] = None,
    describer: DescriberName = None,
    settings: DescriberSettings = None,
    prompt: PromptName = None,
    anew: Annotated[
        bool, typer.Option("--describe-anew", help="Describe all items, by another describer than the run's.")
    ] = False,
    trust_run: TrustRun = False,
    json_output: Json = False,
) -> None:
    """Go on from changed data: only what is new is described and encoded, training starts from the run's parameters."""
    from viral.data.dataset import Dataset
    from viral.run.retrieval import DescriberOptions
    from viral.run.update import FeatureMakers
    from viral.run.update import update as run_on

    makers = FeatureMakers(options=DescriberOptions(describer, tuple(settings or ()), prompt), anew=anew)
    summary = run_on(run, Dataset.open(dataset), out, makers=makers, epochs=epochs, trust_run=trust_run)
    if json_output:
        show_json(summary)
    elif not summary.get("unchanged"):
        _tell(summary, out)
    else:
        show("changed: nothing; the run is left as it is (--epochs N trains it on all the same)")
        show(f"next: viral recommend {out} --user ID")


def _tell(summary: dict[str, Any], out: Path) -> None:
    told = summary["update"]
    changes = [f"{count:,} {name.replace('_', ' ')}" for name, count in told["changes"].items() if count]
    show("changed: " + (", ".join(changes) or "nothing"))
    counts = told["counts"]
    pictures, texts = counts["pictures"], counts["texts"]
    show(f"described {counts['described']:,} pictures, encoded {texts:,} texts and {pictures:,} pictures")
    recall = summary["metrics"].get("recall@20")
    measured = "nothing is measured" if recall is None else f"test recall@20 {recall:.4f}"
    show(f"trained {summary['epochs']} epochs; {measured}")
    if told["test_note"]:
        show(told["test_note"])
    show_exposure(summary, out)
    show(f"next: viral recommend {out} --user ID")
