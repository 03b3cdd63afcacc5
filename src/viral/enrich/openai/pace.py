"""When the next request may go out: a rate, pauses that a server asks for, and the end of the run."""

import threading
import time

from viral.base.errors import ViralError


class Pace:
    """Shared by the threads of a describer.

    Requests are spaced evenly (a token bucket that holds one token), and none goes out during a pause. After ``stop``
    whoever waits, or comes to wait, gets the error instead: no thread sleeps on when the run is over.
    """

    def __init__(self, requests_per_minute: int = 0) -> None:
        self._gap = 60.0 / requests_per_minute if requests_per_minute else 0.0
        self._lock = threading.Lock()
        self._next = self._paused_until = 0.0
        self._stopped = threading.Event()
        self._error: ViralError | None = None

    def take(self) -> None:
        """Wait until it is one's turn."""
        with self._lock:
            turn = max(time.monotonic(), self._next)
            self._next = turn + self._gap
        self._wait_until(turn)
        while self._paused_until > time.monotonic():  # it may be prolonged meanwhile
            self._wait_until(self._paused_until)

    def pause(self, seconds: float) -> None:
        """Let no request go out for so long, whoever's it is: the server is busy with all of them."""
        with self._lock:
            self._paused_until = max(self._paused_until, time.monotonic() + seconds)

    def sleep(self, seconds: float) -> None:
        """Wait by oneself."""
        self._wait_until(time.monotonic() + seconds)

    def stop(self, error: ViralError) -> None:
        """End all waiting, now and later, with ``error``; the first one counts."""
        with self._lock:
            self._error = self._error or error
        self._stopped.set()

    def _wait_until(self, moment: float) -> None:
        self._stopped.wait(max(0.0, moment - time.monotonic()))
        if self._error is not None:
            raise self._error.with_traceback(None)
