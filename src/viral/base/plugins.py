"""Objects outside VIRAL that a user names: ``package.module:NAME``."""

import importlib
import sys
from pathlib import Path
from typing import Any

from viral.base.errors import UsageError


def load_named(name: str, kind: str) -> Any:
    """The object of that name, its module imported; ``kind`` is what it should be: "model".

    A module beside the data is found, too, though the program was not started with ``python -m``. Raises
    ``UsageError`` where there is no such object.
    """
    module_name, _, object_name = name.partition(":")
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    try:
        return getattr(importlib.import_module(module_name), object_name)
    except (ImportError, AttributeError, ValueError, TypeError) as error:
        raise UsageError(f"cannot load {kind} {name!r} ({error})", hint="write package.module:Name") from None
