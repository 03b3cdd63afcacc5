"""Unfriendly clients: heads without end, half requests, slow bodies and readers; friendly ones meanwhile are served."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from viral.apps.serve.connection_limits import Limits, limited

QUICK = Limits(head_bytes=4_096, head_seconds=1.0, body_seconds=1.5, read_seconds=1.0, connections=20)


async def echo(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def much(request: Request) -> Response:
    return PlainTextResponse("x" * 50_000_000)


@contextlib.contextmanager
def serving(limits: Limits = QUICK) -> Iterator[int]:
    app = Starlette(routes=[Route("/", echo, methods=["GET", "POST"]), Route("/much", much)])
    server = uvicorn.Server(uvicorn.Config(app, http=limited(limits), log_config=None, timeout_keep_alive=3))
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        bound.listen(100)
        running = threading.Thread(target=server.run, args=([bound],), daemon=True)
        running.start()
        try:
            yield bound.getsockname()[1]
        finally:
            server.should_exit = server.force_exit = True
            running.join(10)


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def rest(connection: socket.socket) -> bytes:
    """All that comes until the server closes."""
    found = b""
    with contextlib.suppress(ConnectionError):
        while data := connection.recv(65_536):
            found += data
    return found


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving() as number:
        yield number


def test_requests_are_answered_one_after_the_other_on_a_connection(port: int) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        for size in (0, 10, 200_000):
            assert client.post("/", content=b"x" * size).text == str(size)
        chunks = (b"y" * 100 for _ in range(50))
        assert client.post("/", content=chunks).text == "5000"
        time.sleep(1.3)  # longer than a head may take: waiting for a further request is no fault
        assert client.get("/").text == "0"


def test_pipelined_requests_are_all_answered(port: int) -> None:
    one = b"GET / HTTP/1.1\r\nHost: a\r\n"
    with connect(port) as connection:
        connection.sendall((one + b"\r\n") * 3 + one + b"Connection: close\r\n\r\n")
        assert rest(connection).count(b"HTTP/1.1 200") == 4


@pytest.mark.parametrize(
    "piece", [b"X-Long: " + b"a" * 100 + b"\r\n", b"a" * 500], ids=["many headers", "one header without end"]
)
def test_a_head_without_end_is_refused_soon(port: int, piece: bytes) -> None:
    with connect(port) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nX-A: ")
        sent = 0
        with contextlib.suppress(ConnectionError):
            while sent < 1_000_000:
                connection.sendall(piece)
                sent += len(piece)
                time.sleep(0.001)
        assert sent < 500_000
    with connect(port) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nX-A: " + piece * (5_000 // len(piece)))
        assert rest(connection).startswith(b"HTTP/1.1 431")


def test_a_url_without_end_is_refused(port: int) -> None:
    with connect(port) as connection:
        connection.sendall(b"GET /" + b"a" * 5_000)
        assert rest(connection).startswith(b"HTTP/1.1 431")


def test_a_chunked_body_that_is_all_framing_is_refused(port: int) -> None:
    with connect(port) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;")
        time.sleep(0.2)
        connection.sendall(b"e" * 5_000)
        assert rest(connection).startswith(b"HTTP/1.1 431")


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: a\r\n"])
def test_half_a_head_is_not_waited_for(port: int, sent: bytes) -> None:
    started = time.monotonic()
    with connect(port) as connection:
        connection.sendall(sent)
        answer = rest(connection)
    assert 0.8 < time.monotonic() - started < 3
    assert answer.startswith(b"HTTP/1.1 408") if sent else answer == b""


def test_half_a_body_is_not_waited_for(port: int) -> None:
    started = time.monotonic()
    with connect(port) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf")
        assert rest(connection).startswith(b"HTTP/1.1 408")
    assert 1.3 < time.monotonic() - started < 4


def test_a_client_that_does_not_read_is_left(port: int) -> None:
    with connect(port) as connection:
        connection.sendall(b"GET /much HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(2.5)
        assert len(rest(connection)) < 50_000_000


def test_half_requests_do_not_keep_others_out() -> None:
    with serving(Limits(head_seconds=60, connections=20)) as port, contextlib.ExitStack() as open_:
        for _ in range(60):
            half = open_.enter_context(connect(port))
            half.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n")
        started = time.monotonic()
        for _ in range(5):
            assert httpx.get(f"http://127.0.0.1:{port}/", timeout=5).text == "0"
        assert time.monotonic() - started < 3
