"""A web server of pictures for tests: real sockets, and on some paths it behaves as no server should."""

import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpcore

from servers import running


class PictureServer(ThreadingHTTPServer):
    """``pages`` maps a path to the bytes it gives, or to a function that is handed the request's handler."""

    daemon_threads = True

    def __init__(self, pages: Mapping[str, bytes | Callable[["Handler"], None]], address: str = "127.0.0.1") -> None:
        super().__init__((address, 0), Handler)
        self.pages = dict(pages)
        self.requests: list[tuple[str, str]] = []  # (Host header, path), in order
        self.over = threading.Event()

    @property
    def port(self) -> int:
        return self.server_address[1]

    def url(self, path: str, host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is what many tests are about: nothing to print."""


class Handler(BaseHTTPRequestHandler):
    server: PictureServer

    def do_GET(self) -> None:
        self.server.requests.append((self.headers.get("Host", ""), self.path))
        page = self.server.pages.get(self.path)
        if page is None:
            self.give(b"<h1>not here</h1>", status=404)
        elif isinstance(page, bytes):
            self.give(page)
        else:
            page(self)

    def give(self, data: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing is printed."""


def resolver(name: str, port: int) -> list[str]:
    """The names that tests know: one outside, two inside; an address is its own."""
    known = {"outside.test": ["93.184.215.14"], "inside.test": ["127.0.0.1"], "localhost": ["127.0.0.1", "::1"]}
    return known.get(name, [name.strip("[]")])


class Outside(httpcore.SyncBackend):
    """The address of outside.test is played by this machine, so that it can be reached and yet counts as public."""

    def connect_tcp(self, host: str, *arguments: Any, **options: Any) -> httpcore.NetworkStream:
        return super().connect_tcp("127.0.0.1" if host == "93.184.215.14" else host, *arguments, **options)


def redirect(to: str, status: int = 302) -> Callable[[Handler], None]:
    return lambda handler: handler.give(b"", status=status, Location=to)


def fails(status: int, times: int, then: bytes) -> Callable[[Handler], None]:
    """``status`` for the first ``times`` requests, and then the picture."""
    left = [times]

    def page(handler: Handler) -> None:
        left[0] -= 1
        handler.give(b"", status=status) if left[0] >= 0 else handler.give(then)

    return page


def drip(data: bytes, seconds: float, *, head: bool = False) -> Callable[[Handler], None]:
    """A byte of ``data`` every ``seconds``, and then for ever; with ``head`` the headers come like that."""

    def page(handler: Handler) -> None:
        start = b"HTTP/1.0 200 OK\r\n" + (b"X-Slow: " if head else b"\r\n")
        handler.wfile.write(start)
        for n in range(100_000):
            handler.wfile.write(data[n % len(data) : n % len(data) + 1])
            handler.wfile.flush()
            if handler.server.over.wait(seconds):
                return

    return page


def endless(handler: Handler) -> None:
    """A body without an end, as fast as it is taken."""
    handler.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n\x89PNG\r\n\x1a\n")
    while not handler.server.over.is_set():
        handler.wfile.write(bytes(65536))


def cut(data: bytes) -> Callable[[Handler], None]:
    """Half of what was announced, and then the connection is closed."""

    def page(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data[: len(data) // 2])
        handler.close_connection = True

    return page


def silent(handler: Handler) -> None:
    """No answer."""
    handler.server.over.wait(60)


@contextmanager
def serving(
    pages: Mapping[str, bytes | Callable[[Handler], None]], tls: ssl.SSLContext | None = None
) -> Iterator[PictureServer]:
    """A server in a thread, for the length of a block."""
    server = PictureServer(pages)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    with running(server):
        yield server


def wait_for(condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Whether ``condition`` came true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.005)
    return False
