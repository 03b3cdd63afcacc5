"""HTTP and the web page over a run: ``create_app(Settings(run=…))`` is the application, ``viral serve RUN`` runs it."""

from viral.serve.app import create_app
from viral.serve.settings import Settings

__all__ = ["Settings", "create_app"]
