"""The language of each request: what its address asks for, the choice made before, the server's, the browser's."""

from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from viral.base.language import LANGUAGES, preferred, using

COOKIE = "lang"
QUERY = "lang"
YEAR = 31_536_000  # seconds


class RequestLanguage:
    """ASGI middleware: whatever is translated while a request is answered is in its language.

    ``?lang=`` of a page is remembered in a cookie. ``default`` is the server's own choice, or "" for the browser's.
    """

    def __init__(self, app: ASGIApp, default: str) -> None:
        self._app, self._default = app, default

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers, asked = Headers(scope=scope), _asked(scope)
        kept = asked and not scope["path"].startswith(("/v1/", "/static/"))
        language = asked or _chosen(headers) or self._default or preferred(headers.get("accept-language", ""))

        async def remembering(message: Message) -> None:
            if message["type"] == "http.response.start" and kept:
                cookie = f"{COOKIE}={asked}; Path=/; Max-Age={YEAR}; SameSite=Lax"
                MutableHeaders(scope=message).append("Set-Cookie", cookie)
            await send(message)

        with using(language):
            await self._app(scope, receive, remembering)


def _asked(scope: Scope) -> str:
    """The known language that the address asks for, or ""."""
    wanted = parse_qs(scope["query_string"].decode("latin-1")).get(QUERY, [""])[-1]
    return wanted if wanted in LANGUAGES else ""


def _chosen(headers: Headers) -> str:
    """The known language that was chosen before, or ""."""
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found is not None and found.value in LANGUAGES else ""
