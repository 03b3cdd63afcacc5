"""Pages of which other sites may ask the API from a browser: those that are named, and never with cookies.

A request of such a page brings a token as a program's does. What the sites may reach is the API and the pictures; the
server's own pages and its login stay for its own site.
"""

import re
from collections.abc import Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from viral.base.errors import UsageError

REACHED = ("/v1/", "/pictures/")
SECONDS = 600  # for which a browser remembers what it may
_ORIGIN = re.compile(r"https?://(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9-]+)*|\[[0-9a-f:]+\])(?::\d{1,5})?")
_PORTS = {"http": ":80", "https": ":443"}


def read_origin(word: str) -> str:
    """An origin as browsers write it; ``UsageError`` for what is none, a pattern among them."""
    origin = word.strip().lower().removesuffix("/")
    if not _ORIGIN.fullmatch(origin):
        hint = "scheme and host of the shop's pages, as in --cors https://shop.example; no path, and no *"
        raise UsageError(f"{word!r} is no origin", where="--cors", hint=hint)
    return origin.removesuffix(_PORTS[origin.partition(":")[0]])


class Cors:
    """ASGI middleware: the headers that let the named origins read answers; nobody else gets any."""

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        self._plain = app
        self._open = CORSMiddleware(
            app,
            allow_origins=[read_origin(one) for one in origins],
            allow_methods=["GET", "POST"],
            allow_headers=["authorization", "content-type"],
            expose_headers=["retry-after"],
            allow_credentials=False,
            max_age=SECONDS,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        reached = scope["type"] == "http" and scope["path"].startswith(REACHED)
        await (self._open if reached else self._plain)(scope, receive, send)
