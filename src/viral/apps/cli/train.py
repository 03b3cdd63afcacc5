"""The verbs that train and measure a model."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from viral.apps.cli.options import DatasetArgument, Json, LessPopularOption, RunArgument, TrustRun, UsersOption
from viral.apps.cli.output import show, show_exposure, show_json, table, verb
from viral.base.errors import UsageError

if TYPE_CHECKING:
    from viral.base.recipe import Recipe

ChosenBy = Annotated[
    Path | None,
    typer.Option("--from", metavar="RUN", help="The run whose epochs and memory validation chose; for --production."),
]
SHOWN = ("recall@10", "recall@20", "ndcg@10", "ndcg@20", "hit_rate@20", "coverage@20")


@verb
def train(
    dataset: DatasetArgument,
    out: Annotated[Path, typer.Option(help="The folder of the run.")],
    model: Annotated[str | None, typer.Option(help="A model of the zoo, or package.module:Class.")] = None,
    recipe: Annotated[Path | None, typer.Option(help="A TOML file that determines the run.")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="KEY=VALUE of the recipe, repeatable.")] = None,
    seed: Annotated[int | None, typer.Option(help="Repeats a run exactly.")] = None,
    users: UsersOption = None,
    device: Annotated[str, typer.Option(help="Where to compute: cpu, cuda, cuda:1.")] = "cpu",
    production: Annotated[
        bool, typer.Option("--production", help="Learn from validation and test, too; nothing is measured then.")
    ] = False,
    chosen_by: ChosenBy = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Put the run in the place of an older one of other data or recipe.")
    ] = False,
    finish: Annotated[
        bool, typer.Option("--finish", help="End a training that was stopped with what it has; the words as before.")
    ] = False,
    trust_run: TrustRun = False,
    json_output: Json = False,
) -> None:
    """Train a model; the same command goes on with a run that was stopped."""
    from viral.data.dataset import Dataset
    from viral.run.configuration import with_words
    from viral.run.identity import finished_here
    from viral.run.pipeline import train as run

    chosen = _recipe(model, recipe, chosen_by, trust_run)
    words = list(settings or []) + ([f"train.seed={seed}"] if seed is not None else [])
    more: dict[str, Any] = {"users": users, "device": device, "production": production, "chosen_by": chosen_by}
    given = with_words(chosen, words)
    if finish:
        given = finished_here(given, out)
    summary = run(Dataset.open(dataset), given, out, anew=replace, **more)
    if json_output:
        show_json(summary)
    else:
        _tell(summary, chosen.train.monitor, out)


def _tell(summary: dict[str, Any], monitor: str, out: Path) -> None:
    valid = ", ".join(f"{name} {value:.4f}" for name, value in summary["valid"].items() if name != "best_epoch")
    best = f"best on validation: {valid}" if valid else "without validation"
    show(f"{summary['model']}: {summary['epochs']} epochs ({summary['stopped_because']}), {best}")
    if memory := summary.get("memory"):
        show(_memory(memory, monitor))
    show(_metrics(summary))
    show_exposure(summary, out)
    show(f"next: viral recommend {out} --user ID")


def _recipe(model: str | None, recipe: Path | None, chosen_by: Path | None, trust: bool) -> "Recipe":
    """The recipe of a name, of a file, or for want of both that of the run whose choices are taken."""
    from viral.base.recipe import Recipe
    from viral.run.production import recipe_of

    if model is None and recipe is None and chosen_by is not None:
        return recipe_of(chosen_by, trust=trust)
    if (model is None) == (recipe is None):
        raise UsageError("give either --model NAME or --recipe FILE", hint="for example --model viral")
    return Recipe.read(recipe) if recipe is not None else Recipe(model=str(model))


def _memory(memory: Mapping[str, Any], monitor: str) -> str:
    if "valid_without" not in memory:
        return f"memory: weight {memory['weight']:g}, given"
    told = f" ({monitor} {memory['valid_without']:.4f} without)" if memory["weight"] else ": none"
    return f"memory: weight {memory['weight']:g}, chosen on validation{told}"


@verb
def evaluate(
    run: RunArgument,
    split: Annotated[str, typer.Option(help="train, valid or test.")] = "test",
    mask: Annotated[str, typer.Option(help="What is not ranked: train (published protocol) or train+valid.")] = "train",
    dataset: Annotated[Path | None, typer.Option(help="The data set, if it has moved since training.")] = None,
    users: UsersOption = None,
    less_popular: LessPopularOption = 0.0,
    json_output: Json = False,
) -> None:
    """Rank every item for every user again and measure one split."""
    from viral.run.pipeline import evaluate_run

    if split not in ("train", "valid", "test"):
        raise UsageError(f"unknown split {split!r}", hint="train, valid or test")
    if mask not in ("train", "train+valid"):
        raise UsageError(f"cannot mask {mask!r}", hint="train or train+valid")
    if mask == "train+valid" and split != "test":
        raise UsageError(
            f"--mask train+valid would hide what --split {split} ranks for", hint="use it with --split test"
        )
    result = evaluate_run(run, name=split, mask=mask, dataset=dataset, users=users, less_popular=less_popular)
    if json_output:
        show_json(result)
    else:
        show(_metrics(result))
        show_exposure(result, run)


def _metrics(result: dict[str, Any]) -> str:
    if not result["protocols"]:
        production = "nothing is measured: every interaction was learnt from (--production)"
        return production if result.get("production") else str(result["unmeasured"])
    rows = [[f"masked: {name}", *(metrics[key] for key in SHOWN)] for name, metrics in result["protocols"].items()]
    return table([f"{result['split']} ({result['users']:,} users)", *SHOWN], rows)
