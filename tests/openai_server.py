"""A small server that speaks ``/v1/chat/completions`` and looks at the pictures it gets; it misbehaves on purpose.

In a test: ``with serving(Behaviour(...)) as server``. From a shell: ``python tests/openai_server.py --port 8000``,
which prints the address; with ``--log FILE`` each call is a line there: the picture's SHA-256, when its request was
there, and whether the answer went out.
"""

import argparse
import base64
import hashlib
import io
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from PIL import Image

from servers import running

Fault = tuple[Any, ...]
"""``("status", code)``, ``("status", code, headers, body)``, ``("slow", seconds)``, ``("drip", seconds)``,
``("cut",)``, ``("half",)``, ``("body", bytes)``, ``("message", {…})``, ``("usage",)``, ``("finish", reason)``."""


@dataclass
class Behaviour:
    """What the server does. ``faults(call, n)`` gives what goes wrong with a picture's ``n``-th call, if anything."""

    faults: Callable[["Call", int], Fault | None] = lambda call, n: None
    key: str = ""  # that a client must have
    models: tuple[str, ...] = ("tiny",)
    knows_schemas: bool = True
    tokens: tuple[int, int] = (100, 20)  # that each answer costs
    log: Path | None = None


@dataclass(frozen=True)
class Call:
    """One request, as it was understood."""

    picture: bytes
    media: str
    text: str
    body: dict[str, Any]
    headers: dict[str, str]
    at: float  # time.monotonic()

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.picture).hexdigest()


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, behaviour: Behaviour, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.behaviour = behaviour
        self.calls: list[Call] = []
        self.counts = Counter[str]()  # calls by the SHA-256 of the picture
        self.most_at_once = 0
        self.over = threading.Event()
        self._under_way, self._lock = 0, threading.Lock()
        self._log = behaviour.log.open("a") if behaviour.log else None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    @contextmanager
    def counted(self, call: Call) -> Iterator[int]:
        """The number of this call among those for its picture, from 1."""
        with self._lock:
            self.calls.append(call)
            self.counts[call.sha256] += 1
            number = self.counts[call.sha256]
            self._under_way += 1
            self.most_at_once = max(self.most_at_once, self._under_way)
        try:
            yield number
        finally:
            with self._lock:
                self._under_way -= 1

    def write(self, call: Call, event: str) -> None:
        if self._log:
            with self._lock:
                self._log.write(f"{event} {call.sha256} {time.time():.6f}\n")
                self._log.flush()

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that are killed hang up: nothing to print."""


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        behaviour = self.server.behaviour
        given = self.headers.get("Authorization", "").removeprefix("Bearer ")
        request = json.loads(body)
        if self.path != "/v1/chat/completions":
            self._error(404, "not_found", f"no {self.path} here")
        elif behaviour.key and given != behaviour.key:
            self._error(401, "invalid_api_key", f"Incorrect API key provided: {given[:9]}****{given[-4:]} or {given}.")
        elif request["model"] not in behaviour.models:
            self._error(404, "model_not_found", f"The model {request['model']!r} does not exist.")
        else:
            call = _understand(request, dict(self.headers))
            with self.server.counted(call) as number:
                self.server.write(call, "asked")
                self._answer(call, *(behaviour.faults(call, number) or ("none",)))
                self.server.write(call, "answered")

    def _answer(self, call: Call, kind: str, *details: Any) -> None:
        if kind == "cut":
            self.close_connection = True
        elif kind == "status":
            code, headers, body = [*details, None, None][:3]
            self._error(code, "", "this went wrong on purpose", headers=headers, body=body)
        elif "response_format" in call.body and not self.server.behaviour.knows_schemas:
            self._error(400, "", "response_format is not supported")
        elif kind == "body":
            self._send(200, details[0])
        else:
            data = json.dumps(self._completion(call, kind, details)).encode()
            if kind in ("half", "drip"):
                self._badly(data, kind, details)
                return
            if kind == "slow":
                self.server.over.wait(details[0])
            self._send(200, data)

    def _completion(self, call: Call, kind: str, details: tuple[Any, ...]) -> dict[str, Any]:
        message = {"role": "assistant", "content": said(call.picture, call.text, "response_format" in call.body)}
        reads, writes = self.server.behaviour.tokens
        usage = {"prompt_tokens": reads, "completion_tokens": writes, "total_tokens": reads + writes}
        choice = {
            "index": 0,
            "message": {**message, **details[0]} if kind == "message" else message,
            "finish_reason": details[0] if kind == "finish" else "stop",
        }
        answer = {"id": "chatcmpl-1", "object": "chat.completion", "model": call.body["model"], "choices": [choice]}
        return answer if kind == "usage" else {**answer, "usage": usage}

    def _badly(self, data: bytes, kind: str, details: tuple[Any, ...]) -> None:
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if kind == "half":
            self.wfile.write(data[: len(data) // 2])
            return
        for place in range(len(data)):
            self.wfile.write(data[place : place + 1])
            self.wfile.flush()
            if self.server.over.wait(details[0]):
                return

    def _error(self, status: int, code: str, message: str, headers: Any = None, body: bytes | None = None) -> None:
        data = json.dumps({"error": {"code": code, "message": message}}).encode() if body is None else body
        self._send(status, data, headers or {})

    def _send(self, status: int, data: bytes, headers: Any = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing is printed."""


def _understand(request: dict[str, Any], headers: dict[str, str]) -> Call:
    """A request with exactly one picture, as bytes, and one text; anything else is an error of the client's."""
    (message,) = request["messages"]
    image, text = message["content"]
    head, data = image["image_url"]["url"].split(",", 1)
    media = head.removeprefix("data:").removesuffix(";base64")
    return Call(base64.b64decode(data, validate=True), media, text["text"], request, headers, time.monotonic())


def said(picture: bytes, text: str, schema: bool = False) -> str:
    """What this server says of a picture: a function of the picture and of the text that came with it."""
    with Image.open(io.BytesIO(picture)) as opened:
        size, colour = opened.size, opened.convert("RGB").resize((1, 1)).getpixel((0, 0))
    told = hashlib.sha256(text.encode()).hexdigest()[:8]
    words = "A {} by {} picture, mostly #{:02x}{:02x}{:02x}, asked about in {}.".format(*size, *colour, told)
    if not schema:
        return words
    return json.dumps(
        {"category": "picture", "colours": [words[-30:]], "material": "", "pattern": "", "shape": "", "text": []}
    )


@contextmanager
def serving(behaviour: Behaviour | None = None) -> Iterator[Server]:
    """A server in a thread, for the length of a block."""
    with running(Server(behaviour or Behaviour())) as server:
        yield server


def main() -> None:
    parser = argparse.ArgumentParser(description="A server for tests: its answers are made of sizes and colours.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", type=Path)
    parser.add_argument("--slow", type=float, default=0.0, metavar="SECONDS", help="before each answer")
    options = parser.parse_args()
    slow = ("slow", options.slow) if options.slow else None
    server = Server(Behaviour(faults=lambda call, n: slow, log=options.log), options.port)
    sys.stdout.write(f"{server.url}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
