"""Checks of every request before it is routed (host, origin, length), and the security headers of every answer."""

import ipaddress
import logging
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from viral.apps.serve.problems import Problem, problem
from viral.apps.serve.security.access import Gate
from viral.apps.serve.security.cors import REACHED, read_origin
from viral.apps.serve.settings import Settings

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; font-src 'self'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
SAFE = ("GET", "HEAD", "OPTIONS")
UPLOADS = ("/v1/cold", "/new")  # paths, and what is below them, that take a picture
CLOSE = {"Connection": "close"}  # what is still to come of the body is not read
FORM = 200_000  # bytes of a form beside its picture
log = logging.getLogger("viral.apps.serve")


class RequestGuard:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, settings: Settings, gate: Gate) -> None:
        self._app, self._settings, self._gate = app, settings, gate
        self._open = gate.tokens is None
        self._named = {read_origin(one) for one in settings.cors}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        answer = self._turned_away(scope)
        if answer is not None:
            await answer(scope, receive, send_with_headers)
            return
        try:
            await self._app(scope, _counted(receive, self._limit(scope["path"])), send_with_headers)
        except ClientDisconnect:
            return
        except Exception:
            log.exception("%s %s failed", scope["method"], scope["path"])
            if started:
                raise
            await problem(500, "the server failed at this request; its log says why")(scope, receive, send_with_headers)

    def _turned_away(self, scope: Scope) -> Response | None:
        """The answer to a request of which not a byte of the body is read; None where it is one to be looked at."""
        refused = self._refusal(scope)
        if refused is not None:
            return problem(*refused)
        limit, length = self._limit(scope["path"]), Headers(scope=scope).get("content-length", "")
        if length and not (length.isdigit() and int(length) <= limit):
            return problem(413, _longer(limit), headers=CLOSE)
        stranger = self._stranger(scope)
        if stranger is None:
            return None
        return problem(stranger.status_code, stranger.detail, headers={**(stranger.headers or {}), **CLOSE})

    def _stranger(self, scope: Scope) -> Problem | None:
        """Why the sender of a body is not listened to: nobody whom the server knows, but for the login's form."""
        if self._open or scope["method"] in SAFE or scope["path"] == "/login":
            return None
        kind, _, token = Headers(scope=scope).get("authorization", "").partition(" ")
        try:
            self._gate.token(Request(scope), token.strip() if kind.lower() == "bearer" else None)
        except Problem as unknown:
            return unknown
        return None

    def _limit(self, path: str) -> int:
        upload = any(path == one or path.startswith(f"{one}/") for one in UPLOADS)
        return self._settings.max_picture + FORM if upload else self._settings.max_body

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        """Status and reason where the request comes from where it must not."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self._open and not is_loopback(_name_of(host)):
            # A page of another site whose name was pointed here (DNS rebinding) would else read everything.
            return 421, "this server has no tokens, so it answers to localhost alone"
        named = headers.get("origin", "") in self._named and scope["path"].startswith(REACHED)
        if scope["method"] not in SAFE and not (named or _same_origin(headers, host)):
            return 403, "a page of another site must not change anything here"
        return None


def _counted(receive: Receive, limit: int) -> Callable[[], Awaitable[Message]]:
    left = limit

    async def counting() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise Problem(413, _longer(limit))
        return message

    return counting


def _longer(limit: int) -> str:
    return f"the body is longer than {limit:,} bytes"


def is_loopback(host: str) -> bool:
    """Whether a name or an address means this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


def _name_of(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:  # a bracket that is not closed
        return ""


def _same_origin(headers: Headers, host: str) -> bool:
    """False where a browser says that another site's page asks; programs say nothing of the kind."""
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    if origin is None:
        return True
    scheme, _, place = origin.lower().partition("://")
    port = {"http": ":80", "https": ":443"}.get(scheme, "")
    return bool(place) and place.removesuffix(port) == host.lower().removesuffix(port)
