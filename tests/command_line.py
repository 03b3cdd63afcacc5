"""`viral`, called in this process: what it prints, and its JSON."""

import json
from typing import Any

from typer.testing import CliRunner

from viral.apps.cli import app


def viral(*words: object, code: int = 0) -> str:
    """What it prints to stdout; it must end with ``code``."""
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == code, done.output
    return done.stdout


def viral_json(*words: object, code: int = 0) -> Any:
    """Its one JSON document."""
    return json.loads(viral(*words, "--json", code=code))
