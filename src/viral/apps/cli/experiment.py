"""The verbs that run many trainings and make one table of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from viral.apps.cli.options import DatasetArgument, Json, LangOption, speaking
from viral.apps.cli.output import command_of, show, show_json, table, verb
from viral.base.errors import UsageError

OutOption = Annotated[Path, typer.Option(help="The folder of the study; the same command goes on where it was.")]
SeedsOption = Annotated[int, typer.Option(min=1, help="How many: seeds 0, 1, … of the training.")]
MetricOption = Annotated[str, typer.Option(help="The metric that is tested and drawn.")]
WorkersOption = Annotated[int, typer.Option(min=1, help="Processes that train side by side.")]
RenewOption = Annotated[bool, typer.Option("--renew", help="Compute anew what other code than is here now computed.")]
RestampOption = Annotated[
    bool,
    typer.Option(
        "--restamp",
        help="Train cells of other code again, and keep a row's as of the present code where the numbers are equal.",
    ),
]
RestampCellsOption = Annotated[
    int, typer.Option(min=1, help="How many cells of a row --restamp trains, the quickest; the others are taken on.")
]
StudiesOption = Annotated[
    list[str] | None, typer.Option(help="Which studies, repeatable or with commas; all is every one.")
]
RecipeOption = Annotated[Path | None, typer.Option(help="The full model, as a TOML file; else VIRAL's defaults.")]
SettingsOption = Annotated[
    list[str] | None, typer.Option("--set", help="KEY=VALUE of the full model's recipe, repeatable.")
]
ModelsOption = Annotated[
    list[str] | None, typer.Option(help="Models of the zoo or package.module:Class, repeatable or with commas.")
]
RowRecipes = Annotated[
    list[Path] | None, typer.Option("--recipe", help="A TOML file, a row of its name (best.toml: of its folder's).")
]
RowSettings = Annotated[list[str] | None, typer.Option("--set", help="KEY=VALUE of every row, as train.*.")]
AgainstOption = Annotated[
    str | None, typer.Option(help="The row to test against; else the best baseline on validation.")
]
PublishedOption = Annotated[
    str | None, typer.Option(help="Put published numbers beside: amazon-baby, amazon-sports or amazon-clothing.")
]
ColdOption = Annotated[
    bool, typer.Option("--cold", help="Instead: withhold a tenth of the items from everything, rank them as new.")
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
    renew: RenewOption = False,
    restamp: RestampOption = False,
    restamp_cells: RestampCellsOption = 1,
    lang: LangOption = "en",
    json_output: Json = False,
) -> None:
    """Take VIRAL apart: every part, source and number, several seeds each, one table and one report."""
    from viral.data.dataset import Dataset
    from viral.lab.study import ablate as run

    picked = _names(studies)
    options: dict[str, Sequence[Any]] = {"--out": [out], "--seeds": [seeds], "--studies": picked, "--recipe": [recipe]}
    options |= {"--set": settings or [], "--metric": [metric]}
    with speaking(lang):
        result = run(
            Dataset.open(dataset),
            out,
            base=_base(recipe, settings or []),
            seeds=range(seeds),
            studies=picked or None,
            metric=metric,
            command=command_of("ablate", dataset, options),
            executor=_executor(workers),
            renew=renew,
            restamp=restamp_cells if restamp else 0,
        )
    _finish(result, out, json_output)


@verb
def compare(
    dataset: DatasetArgument,
    out: OutOption,
    models: ModelsOption = None,
    recipes: RowRecipes = None,
    settings: RowSettings = None,
    seeds: SeedsOption = 5,
    against: AgainstOption = None,
    metric: MetricOption = "recall@20",
    published: PublishedOption = None,
    cold: ColdOption = False,
    workers: WorkersOption = 1,
    renew: RenewOption = False,
    restamp: RestampOption = False,
    restamp_cells: RestampCellsOption = 1,
    lang: LangOption = "en",
    json_output: Json = False,
) -> None:
    """Train models side by side, several seeds each: one leaderboard with intervals, tests and costs."""
    from viral.base.parallel.processes import ProcessExecutor
    from viral.data.dataset import Dataset
    from viral.lab.study import compare as run
    from viral.lab.study import compare_cold

    options: dict[str, Sequence[Any]] = {"--out": [out], "--seeds": [seeds], "--models": _names(models)}
    options |= {"--recipe": recipes or [], "--set": settings or [], "--against": [against], "--metric": [metric]}
    options |= {"--published": [published]}
    chosen = _recipes(_names(models), recipes or [], settings or [])
    command = command_of("compare", dataset, options)
    ways: dict[str, Any] = {"seeds": range(seeds), "renew": renew, "restamp": restamp_cells if restamp else 0}
    with speaking(lang):
        if cold:
            ways |= {"command": f"{command} --cold", "executor": _executor(workers)}
            study: Any = compare_cold(Dataset.open(dataset), chosen, out, **ways)
        else:
            ways |= {"command": command, "executor": ProcessExecutor(workers, fresh=True), "own_processes": True}
            ways |= {"against": against, "metric": metric, "beside_published": published}
            study = run(Dataset.open(dataset), chosen, out, tuning=_tuning(recipes or []), **ways)
    _finish(study, out, json_output)


def _recipes(models: Sequence[str], files: Sequence[Path], settings: Sequence[str]) -> dict[str, Any]:
    """Rows by name: a model at its defaults, a recipe by its file's name (``best.toml`` by its folder's)."""
    from viral.base.recipe import Recipe
    from viral.run.configuration import with_words

    rows = [(name, Recipe(model=name)) for name in models] + [(_row_name(path), Recipe.read(path)) for path in files]
    names = [name for name, _ in rows]
    if not rows or len(set(names)) < len(names):
        what = "two rows have the same name" if rows else "there is nothing to compare"
        raise UsageError(what, where=", ".join(names), hint="for example --models viral,lightgcn,popularity")
    return {name: with_words(recipe, settings) for name, recipe in rows}


def _row_name(path: Path) -> str:
    return path.resolve().parent.name if path.name == "best.toml" else path.stem


def _tuning(files: Sequence[Path]) -> dict[str, Any]:
    """What the tuning cost of the recipes that a study beside them ended with."""
    from viral.base.recipe import Recipe
    from viral.lab.study.tuning.tuning_study import effort_of

    found = {_row_name(path): effort_of(path, Recipe.read(path)) for path in files}
    return {name: effort for name, effort in found.items() if effort is not None}


def _base(recipe: Path | None, settings: Sequence[str]) -> Any:
    from viral.base.recipe import Recipe
    from viral.run.configuration import with_words

    return with_words(Recipe.read(recipe) if recipe is not None else Recipe(model="viral"), settings)


def _names(words: list[str] | None) -> list[str]:
    """Names given one by one or with commas."""
    return [name.strip() for word in words or () for name in word.split(",") if name.strip()]


def _executor(workers: int) -> Any:
    """One cell after the other in this process, or a process for each worker."""
    from viral.base.parallel import SerialExecutor
    from viral.base.parallel.processes import ProcessExecutor

    return SerialExecutor() if workers == 1 else ProcessExecutor(workers)


def _rows(study: Any) -> str:
    lines = []
    for row in study.rows:
        tested = "" if row.comparison is None else f"{row.comparison.p_holm:.2g}"
        epochs, seconds = (sum(values) / len(values) if values else 0.0 for values in (row.epochs, row.seconds))
        means = [row.mean(name) for name in SHOWN]
        lines.append([f"{row.group}: {row.name}", len(row.seeds), *means, tested, f"{epochs:.0f}", f"{seconds:.0f}"])
    return table(["row", "seeds", *SHOWN, "p (Holm)", "epochs", "seconds"], lines)


def _places(study: Any) -> str:
    """A table for each place of a study of new items."""
    from viral.lab.study.cold.cold_study import HEADINGS, label, place_cells

    columns = ["", "recall@20", "95 % (users)", "over seeds", "× random (95 %)", "- content", "95 %", "p (Holm)"]
    made = []
    for place, heading in HEADINGS.items():
        rows = [[label(row), *place_cells(row.places[place])] for row in study.rows if place in row.places]
        made.append(f"{heading}\n{table(columns, rows)}")
    seeds = len(study.seeds)
    return "\n\n".join([*made, f"{study.share:.0%} of the items withheld, other ones at each of {seeds} seeds"])


def _finish(study: Any, out: Path, json_output: bool) -> None:
    """Show the table or the JSON; end with status 1 where a cell failed: what did not fail is kept and shown."""
    from viral.base.progress import say

    if json_output:
        show_json(study.to_json())
    else:
        show(_places(study) if study.KIND == "cold" else _rows(study))
        show(f"\nopen  {out}/report.html")
    for failure in study.failures:
        say(f"failed: {failure}")
    if study.failures:
        raise typer.Exit(1)
