"""From a URL to checked bytes."""

import ssl
import threading
import time
from collections.abc import Iterable
from concurrent.futures import Future
from functools import cached_property
from pathlib import Path

import httpcore
import httpx

from viral.base.parallel import ThreadExecutor
from viral.data.fetch.cache import PictureCache
from viral.data.fetch.connection import Deadline, GuardedBackend, Resolver, look_up
from viral.data.fetch.limits import FetchConfig, FetchError
from viral.data.pictures import PictureError, read_header

_HEADERS = (("Accept", "image/jpeg, image/png, image/webp"), ("Accept-Encoding", "identity"), ("User-Agent", "viral"))
_REDIRECTS = {301, 302, 303, 307, 308}
_MAY_PASS = {408, 425, 429, *range(500, 600)}
_REMEMBERED = 100_000  # failures


class Fetcher:
    """Fetches pictures; safe between threads, each of which gets what the first one fetched.

    http and https only, to public addresses only (``FetchConfig.allow_private`` lifts that), checked again at each
    redirect; no proxy of the environment is used, as it would do the connecting. Bytes and time are bounded, and what
    comes must be a picture by its header. A URL that failed is not tried again by the same fetcher. ``resolver`` looks
    names up, ``backend`` opens connections to addresses that passed, ``tls`` says whose certificates are trusted.
    """

    def __init__(
        self,
        cache: Path,
        config: FetchConfig = FetchConfig(),  # noqa: B008 - frozen
        *,
        resolver: Resolver = look_up,
        backend: httpcore.NetworkBackend | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._cache, self._config, self._resolver = PictureCache(cache), config, resolver
        self._backend, self._given_tls = backend or httpcore.SyncBackend(), tls
        self._lock = threading.Lock()
        self._under_way: dict[str, Future[bytes]] = {}
        self._failed: dict[str, PictureError] = {}

    def get(self, url: str) -> bytes:
        """The picture's bytes, from the cache or the net; raises ``FetchError`` or another ``PictureError``."""
        with self._lock:
            if url in self._failed:
                raise self._failed[url].with_traceback(None)  # else it grows with each raise
            other = self._under_way.get(url)
            if other is None:
                mine = self._under_way[url] = Future[bytes]()
        if other is not None:
            return other.result()
        try:
            data = self._cache.get(url) or self._fetch(url)
        except BaseException as error:
            self._finish(url, error)
            mine.set_exception(error)
            raise
        self._finish(url, None)
        mine.set_result(data)
        return data

    def warm(self, urls: Iterable[str]) -> None:
        """Fetch what is not in the cache, several at a time; what fails is raised by ``get``."""
        wanted = dict.fromkeys(url for url in urls if url not in self._cache)
        for _ in ThreadExecutor(self._config.connections).map(self._warm, wanted, in_flight=self._config.connections):
            pass

    def _warm(self, url: str) -> None:
        try:
            self.get(url)
        except PictureError:
            return  # remembered

    def _finish(self, url: str, error: BaseException | None) -> None:
        with self._lock:
            del self._under_way[url]
            if isinstance(error, PictureError) and len(self._failed) < _REMEMBERED:
                self._failed[url] = error

    def _fetch(self, url: str) -> bytes:
        for attempt in range(self._config.attempts):
            if attempt:
                time.sleep(self._config.wait * 2 ** (attempt - 1))
            try:
                data = self._follow(url)
                break
            except FetchError as error:
                if error.status != "behind a faulty server" or attempt == self._config.attempts - 1:
                    raise
        self._check(data, url)
        self._cache.put(url, data)
        return data

    def _check(self, data: bytes, url: str) -> None:
        if not data:
            raise FetchError("empty", url)
        try:
            read_header(data)
        except PictureError as error:
            raise FetchError(error.status, url) from None

    def _follow(self, url: str) -> bytes:
        """The body at the end of the redirects."""
        tls = self._tls  # which takes a moment the first time: before the clock runs
        deadline = Deadline(self._config.seconds, url)
        place = _parse(url, url)
        for _ in range(self._config.max_redirects + 1):
            answer = self._request(place, url, tls, deadline)
            if isinstance(answer, bytes):
                return answer
            place = _parse(answer, url, place)
        raise FetchError("redirected too often", url)

    def _request(self, place: httpx.URL, url: str, tls: ssl.SSLContext, deadline: Deadline) -> bytes | str:
        """The body, or where the server sends us."""
        guard = GuardedBackend(self._backend, self._config, self._resolver, url, deadline)
        target = httpcore.URL(
            scheme=place.scheme.encode(), host=place.raw_host, port=place.port, target=place.raw_path or b"/"
        )
        headers = [("Host", place.netloc.decode("ascii")), *_HEADERS]
        try:
            with (
                httpcore.ConnectionPool(tls, network_backend=guard) as pool,
                pool.stream("GET", target, headers=headers) as response,
            ):
                return self._read(response, url)
        except httpcore.TimeoutException:
            raise deadline.missed() from None
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            raise FetchError("behind a faulty server", url, f" ({type(error).__name__})") from None

    def _read(self, response: httpcore.Response, url: str) -> bytes | str:
        headers = {name.lower(): value for name, value in response.headers}
        if response.status in _REDIRECTS and b"location" in headers:
            return _text(headers[b"location"])
        if response.status != 200:
            passing = response.status in _MAY_PASS
            raise FetchError(
                "behind a faulty server" if passing else "behind a dead link", url, f" (HTTP {response.status})"
            )
        limit = self._config.max_bytes
        announced = headers.get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > limit:
            raise FetchError("too many bytes", url)
        data = bytearray()
        for chunk in response.iter_stream():
            data += chunk
            if len(data) > limit:
                raise FetchError("too many bytes", url)
        return bytes(data)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return self._given_tls or httpx.create_ssl_context()


def _text(header: bytes) -> str:
    try:
        return header.decode("utf-8")
    except UnicodeDecodeError:
        return header.decode("latin-1")


def _parse(text: str, url: str, base: httpx.URL | None = None) -> httpx.URL:
    """An absolute http(s) URL with a host and no credentials; else ``FetchError``."""
    try:
        place = base.join(text) if base else httpx.URL(text.strip())
    except (httpx.InvalidURL, ValueError):
        raise FetchError("at a forbidden address", url, " (not a URL)") from None
    if place.scheme not in ("http", "https") or not place.raw_host:
        raise FetchError("at a forbidden address", url, f" (no http or https: {place.scheme or 'no scheme'})")
    if place.userinfo:
        raise FetchError("at a forbidden address", url, " (a user's name in the URL)")
    return place
