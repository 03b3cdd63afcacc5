"""The verb that chooses a model's hyper-parameters."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from viral.apps.cli.options import Json
from viral.apps.cli.output import command_of, show, show_json, table, verb


@verb
def tune(
    dataset: Annotated[Path, typer.Argument(metavar="DATASET", help="A data set folder.")],
    model: Annotated[str, typer.Option(help="A model of the zoo, or package.module:Class.")],
    out: Annotated[Path, typer.Option(help="The folder of the study; the same command goes on where it was.")],
    trials: Annotated[int, typer.Option(min=1, help="How many in all; more of them add to a study.")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="Of what is proposed and of every training.")] = 0,
    epochs: Annotated[int | None, typer.Option(min=1, help="At most this many in a trial.")] = None,
    warmup: Annotated[int, typer.Option(min=0, help="Epochs before a trial may be pruned.")] = 10,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="KEY=VALUE of the recipe, which is then not tuned; repeatable.")
    ] = None,
    json_output: Json = False,
) -> None:
    """Choose hyper-parameters on validation; leaves best.toml, a recipe for `viral train --recipe`."""
    from viral.base.recipe import Recipe
    from viral.data.dataset import Dataset
    from viral.lab.study import tune as run
    from viral.run.configuration import with_words

    words = list(settings or []) + ([f"train.max_epochs={epochs}"] if epochs is not None else [])
    base = with_words(Recipe(model=model), [*words, f"train.seed={seed}"])
    options: dict[str, Sequence[Any]] = {"--model": [model], "--out": [out], "--trials": [trials], "--seed": [seed]}
    options |= {"--epochs": [epochs], "--warmup": [warmup], "--set": settings or []}
    result = run(
        Dataset.open(dataset),
        base,
        out,
        trials=trials,
        fixed={word.partition("=")[0].strip().rpartition(".")[2] for word in words},
        warmup=warmup,
        command=command_of("tune", dataset, options),
    )
    if json_output:
        show_json(result.to_json())
    else:
        show(_table(result))


def _table(result: Any) -> str:
    """The trials, best first, and what to type next."""
    names = list(result.space.candidates)
    lines = [
        [f"{row.number}", row.state, row.value if row.value is not None else "–", row.epochs, f"{row.seconds:.0f}"]
        + [str(row.point.get(name)) for name in names]
        for row in result.ranked
    ]
    shown = table(["trial", "state", f"valid {result.monitor}", "epochs", "seconds", *names], lines)
    whole = "\nevery point of the space has been tried" if result.exhausted else ""
    best = Path(result.out) / "best.toml"
    return f"{shown}{whole}\n\nnext: viral train {result.dataset} --recipe {best} --out runs/{result.model}"
