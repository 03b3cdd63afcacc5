"""`viral token`: a token for a server that asks for one."""

from pathlib import Path
from typing import Annotated

import typer

from viral.apps.cli.options import Json
from viral.apps.cli.output import show, show_json, verb


@verb
def token(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose token it is; shown in errors, never secret.")],
    tokens: Annotated[Path, typer.Option(help="The file that `viral serve --tokens` reads; a line is added.")],
    scope: Annotated[str, typer.Option(help="read: all that answers; admin: also what changes something.")] = "read",
    json_output: Json = False,
) -> None:
    """Make a token: it is shown once, and the file keeps its SHA-256 alone."""
    from viral.apps.serve.security.tokens import add_token

    made = add_token(tokens, name, scope)
    if json_output:
        show_json({"name": name, "scope": scope, "token": made})
        return
    show(made)
