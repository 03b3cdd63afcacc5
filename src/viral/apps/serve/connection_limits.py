"""uvicorn's HTTP protocol with the limits that it has not: of a head, of time, of connections, of slow readers.

uvicorn bounds neither how long a request's head is nor how long it takes to come: headers without end filled the
memory before any token was looked at, and a thousand half requests took all connections.
"""

import resource
from asyncio import TimerHandle, Transport
from dataclasses import dataclass
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

REASONS = {
    408: "the request took too long to come",
    431: "the head of the request is too long",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a client may take of a server."""

    head_bytes: int = 65_536  # of the request line and all headers; of what frames a chunked body, too
    head_seconds: float = 10.0  # to the end of it, from the connection or the first byte of a further request
    body_seconds: float = 60.0  # from there to the end of its body
    read_seconds: float = 60.0  # that a client may leave an answer unread
    connections: int = 0  # at once, of one process; 0: three quarters of the files that it may have open

    @property
    def most(self) -> int:
        return self.connections or max(16, resource.getrlimit(resource.RLIMIT_NOFILE)[0] * 3 // 4)


class LimitedProtocol(HttpToolsProtocol):
    """One connection. What goes over a limit is answered 408 or 431 where no answer has begun, and closed.

    Where there are as many connections as there may be, the one that has waited longest for a request gives way.
    """

    limits: ClassVar[Limits] = Limits()
    waiting: ClassVar[dict["LimitedProtocol", None]]  # connections without a request at work, the oldest first

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        cls.waiting = {}

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._timer: TimerHandle | None = None
        self._unread: TimerHandle | None = None
        self._in_head, self._received, self._body = True, 0, 0
        self._wait()
        self._within(self.limits.head_seconds)
        if len(self.connections) > self.limits.most:
            next(iter(self.waiting)).transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._within(None)
        self._drained()
        self.waiting.pop(self, None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        if self._timer is None and self._in_head:
            self._within(self.limits.head_seconds)  # of a further request on this connection
        self._received += len(data)
        super().data_received(data)
        framing = self._received - self._body
        if framing > self.limits.head_bytes + (0 if self._in_head else 16 * self._body):
            self._refuse(431)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._in_head, self._received, self._body = False, 0, 0
        self.waiting.pop(self, None)
        self._within(self.limits.body_seconds)

    def on_body(self, body: bytes) -> None:
        self._body += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_head, self._received, self._body = True, 0, 0
        self._within(None)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.pipeline:
            self._wait()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._drained()
        self._unread = self.loop.call_later(self.limits.read_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._drained()

    def _drained(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _wait(self) -> None:
        """Stand at the end of those who wait for a request."""
        self.waiting.pop(self, None)
        self.waiting[self] = None

    def _within(self, seconds: float | None) -> None:
        """From now on so much time is left; None: as much as it takes."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None else self.loop.call_later(seconds, self._refuse, 408)

    def _refuse(self, status: int) -> None:
        """Say why, where no answer has begun, and close."""
        self._within(None)
        if self.transport.is_closing():
            return
        silent = self._in_head and not self._received
        answering = self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete
        if not silent and not answering:
            said = REASONS[status].encode()
            head = b"content-type: text/plain; charset=utf-8\r\nconnection: close\r\n"
            self.transport.write(STATUS_LINE[status] + head + b"content-length: %d\r\n\r\n%s" % (len(said), said))
        self.transport.close()


class DefaultProtocol(LimitedProtocol):
    """With the limits as they stand above."""


def limited(limits: Limits) -> type[LimitedProtocol]:
    """A protocol with limits of its own."""
    return type("Limited", (LimitedProtocol,), {"limits": limits})
