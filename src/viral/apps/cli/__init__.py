"""The command line: verbs are functions. Heavy libraries are imported inside them, so that help answers at once."""

import gc
from typing import Annotated

import typer

from viral.apps.cli import data, experiment, life, retrieve
from viral.apps.cli import demo as demonstration
from viral.apps.cli import enrich as enriched
from viral.apps.cli import explain as explained
from viral.apps.cli import information as measured
from viral.apps.cli import map as mapped
from viral.apps.cli import serve as served
from viral.apps.cli import train as run
from viral.apps.cli import tune as tuned
from viral.apps.cli import up as upward
from viral.apps.cli.common import show

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


app.command("demo")(demonstration.demo)
app.command("import")(data.import_)
app.command("shop")(data.shop)
app.command("doctor")(data.doctor)
app.command("enrich")(enriched.enrich)
app.command("encode")(data.encode)
app.command("map")(mapped.map_)
app.command("train")(run.train)
app.command("up")(upward.up)
app.command("evaluate")(run.evaluate)
app.command("update")(life.update)
app.command("recommend")(retrieve.recommend)
app.command("similar")(retrieve.similar)
app.command("cold")(retrieve.cold)
app.command("explain")(explained.explain)
app.command("serve")(served.serve)
app.command("token")(served.token)
app.command("feedback")(served.feedback)
app.command("export")(life.export)
app.command("information", help=measured.HELP)(measured.information)
app.command("ablate")(experiment.ablate)
app.command("compare")(experiment.compare)
app.command("tune")(tuned.tune)


def main() -> None:
    """Run the command line."""
    try:
        app()
    finally:
        gc.freeze()  # at the end every object is looked at once more: with torch loaded that is a fifth of an answer
