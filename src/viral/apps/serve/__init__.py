"""HTTP and the web page over a run: ``create_app(Settings(run=…))`` is the application, ``viral serve RUN`` runs it."""

from typing import TYPE_CHECKING, Any

from viral.apps.serve.settings import Settings
from viral.base.extras import require

if TYPE_CHECKING:
    from viral.apps.serve.app import create_app

__all__ = ["Settings", "create_app"]


def __getattr__(name: str) -> Any:
    if name == "create_app":
        require("serve", purpose="serving")
        from viral.apps.serve.app import create_app  # the whole server, and torch

        return create_app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
