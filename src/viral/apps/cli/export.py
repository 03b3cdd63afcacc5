"""`viral export`: a run for other programs, as vectors and an ONNX scorer."""

from pathlib import Path
from typing import Annotated

import typer

from viral.apps.cli.options import Json, Overwrite, RunArgument
from viral.apps.cli.output import show, show_json, verb


@verb
def export(
    run: RunArgument,
    out: Annotated[Path, typer.Option(help="The folder to write.")],
    overwrite: Overwrite = False,
    json_output: Json = False,
) -> None:
    """Write vectors as Parquet and an ONNX scorer that ranks as we do."""
    from viral.run.export import export as write
    from viral.run.retrieval import Retriever

    manifest = write(Retriever.load(run).bundle, out, overwrite=overwrite)
    if json_output:
        show_json(manifest | {"path": str(out)})
        return
    show(f"{out}: {manifest['users']:,} users and {manifest['items']:,} items of {manifest['dimensions']} dimensions")
    for name, told in {**manifest["inputs"], **manifest["outputs"]}.items():
        show(f"  {name}: {told}")
