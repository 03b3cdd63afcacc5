"""The command line: verbs are functions. Heavy libraries are imported inside them, so that help answers at once."""

import gc
from typing import Annotated

import typer

from viral.apps.cli import (
    cold,
    data,
    demo,
    enrich,
    experiment,
    explain,
    export,
    feedback,
    information,
    map,
    recommend,
    serve,
    similar,
    token,
    train,
    tune,
    up,
    update,
)
from viral.apps.cli.output import show

app = typer.Typer(
    name="viral",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        show(f"viral {version('viral')}")
        raise typer.Exit


@app.callback()
def viral(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """VIRAL: a multimodal recommender you can run, trust and build on."""


app.command("demo")(demo.demo)
app.command("import")(data.import_)
app.command("shop")(data.shop)
app.command("doctor")(data.doctor)
app.command("enrich")(enrich.enrich)
app.command("encode")(data.encode)
app.command("map")(map.map_)
app.command("train")(train.train)
app.command("up")(up.up)
app.command("evaluate")(train.evaluate)
app.command("update")(update.update)
app.command("recommend")(recommend.recommend)
app.command("similar")(similar.similar)
app.command("cold")(cold.cold)
app.command("explain")(explain.explain)
app.command("serve")(serve.serve)
app.command("token")(token.token)
app.command("feedback")(feedback.feedback)
app.command("export")(export.export)
app.command("information", help=information.HELP)(information.information)
app.command("ablate")(experiment.ablate)
app.command("compare")(experiment.compare)
app.command("tune")(tune.tune)


def main() -> None:
    """Run the command line."""
    try:
        app()
    finally:
        gc.freeze()  # at the end every object is looked at once more: with torch loaded that is a fifth of an answer
