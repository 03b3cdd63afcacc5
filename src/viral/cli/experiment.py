"""The verbs that run many trainings and make one table of them."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from viral.cli.common import Json, show, show_json, table, verb

DatasetArgument = Annotated[Path, typer.Argument(metavar="DATASET", help="A data set folder.")]
OutOption = Annotated[Path, typer.Option(help="The folder of the study; the same command goes on where it was.")]
SeedsOption = Annotated[int, typer.Option(min=1, help="How many: seeds 0, 1, … of the training.")]
MetricOption = Annotated[str, typer.Option(help="The metric that is tested and drawn.")]
WorkersOption = Annotated[int, typer.Option(min=1, help="Processes that train side by side.")]
StudiesOption = Annotated[
    list[str] | None, typer.Option(help="Which studies, repeatable or with commas; all is every one.")
]
RecipeOption = Annotated[Path | None, typer.Option(help="The full model, as a TOML file; else VIRAL's defaults.")]
SettingsOption = Annotated[
    list[str] | None, typer.Option("--set", help="KEY=VALUE of the full model's recipe, repeatable.")
]
SHOWN = ("recall@10", "recall@20", "ndcg@10", "ndcg@20")


@verb
def ablate(
    dataset: DatasetArgument,
    out: OutOption,
    seeds: SeedsOption = 5,
    studies: StudiesOption = None,
    recipe: RecipeOption = None,
    settings: SettingsOption = None,
    metric: MetricOption = "recall@20",
    workers: WorkersOption = 1,
    json_output: Json = False,
) -> None:
    """Take VIRAL apart: every part, source and number, several seeds each, one table and one report."""
    from viral.dataset import Dataset
    from viral.experiment import ablate as run
    from viral.experiment.ablation import to_json

    picked = _names(studies)
    options: dict[str, Sequence[Any]] = {
        "--studies": picked,
        "--recipe": [recipe],
        "--set": settings or [],
        "--metric": [metric],
    }
    result = run(
        Dataset.open(dataset),
        out,
        base=_base(recipe, settings or []),
        seeds=range(seeds),
        studies=picked or None,
        metric=metric,
        command=_command("ablate", dataset, out, seeds, options),
        executor=_executor(workers),
    )
    if json_output:
        show_json(to_json(result))
    else:
        show(_rows(result.rows))
        show(f"\nopen  {out}/report.html")
    _fail_with(result.failures)


def _base(recipe: Path | None, settings: Sequence[str]) -> Any:
    from viral.recipe import Recipe

    return (Recipe.read(recipe) if recipe is not None else Recipe(model="viral")).with_settings(settings)


def _names(words: list[str] | None) -> list[str]:
    """Names given one by one or with commas."""
    return [name.strip() for word in words or () for name in word.split(",") if name.strip()]


def _command(name: str, dataset: Path, out: Path, seeds: int, options: Mapping[str, Sequence[Any]]) -> str:
    """The command that makes the same table again."""
    words = ["viral", name, dataset, "--out", out, "--seeds", seeds]
    words += [word for option, values in options.items() for value in values if value for word in (option, value)]
    return shlex.join(map(str, words))


def _executor(workers: int) -> Any:
    """One cell after the other in this process, or a process for each worker."""
    from viral.parallel import SerialExecutor
    from viral.parallel.processes import ProcessExecutor

    return SerialExecutor() if workers == 1 else ProcessExecutor(workers)


def _rows(rows: Any) -> str:
    lines = []
    for row in rows:
        tested = "" if row.comparison is None else f"{row.comparison.p_holm:.2g}"
        epochs, seconds = (sum(values) / len(values) if values else 0.0 for values in (row.epochs, row.seconds))
        means = [row.metrics[name].mean for name in SHOWN]
        lines.append([f"{row.group}: {row.name}", len(row.seeds), *means, tested, f"{epochs:.0f}", f"{seconds:.0f}"])
    return table(["row", "seeds", *SHOWN, "p (Holm)", "epochs", "seconds"], lines)


def _fail_with(failures: list[str]) -> None:
    """End with status 1 where a cell failed; what did not fail is kept and shown."""
    from viral.progress import say

    for failure in failures:
        say(f"failed: {failure}")
    if failures:
        raise typer.Exit(1)
