"""What bounds the requests of a run: their rate, pauses that a server asks for, and what they may cost."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from viral.base.errors import ViralError
from viral.enrich.protocol import BudgetSpent


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


class CallBudget:
    """Counts tokens and money, and says when they are spent; shared by the threads of a describer.

    A call begins only if it and those under way fit into what is left, each taken to be as dear as the dearest so far.
    So a budget is overrun only by calls that begin before the first is back, or that are dearer than any before them.
    """

    def __init__(self, tokens: int = 0, money: float = 0.0, price_in: float = 0.0, price_out: float = 0.0) -> None:
        self._limits = (float(tokens), money)  # 0: none
        self._prices = (price_in / 1e6, price_out / 1e6)
        self._lock = threading.Lock()
        self._spent, self._dearest = [0.0, 0.0], [0.0, 0.0]
        self._under_way = 0

    @property
    def limited(self) -> bool:
        return any(self._limits)

    @contextmanager
    def call(self) -> Iterator[None]:
        """One call to the server; raises ``BudgetSpent`` where there is nothing left for it."""
        with self._lock:
            for limit, spent, dearest, unit in zip(
                self._limits, self._spent, self._dearest, ("tokens", "money"), strict=True
            ):
                if limit and (spent >= limit or spent + (self._under_way + 1) * dearest > limit):
                    raise _spent(limit, spent, unit, self._under_way)
            self._under_way += 1
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1

    def add(self, tokens_in: int, tokens_out: int) -> float:
        """Count what a call took, even where its answer was of no use; returns its cost."""
        cost = tokens_in * self._prices[0] + tokens_out * self._prices[1]
        with self._lock:
            for place, amount in enumerate((float(tokens_in + tokens_out), cost)):
                self._spent[place] += amount
                self._dearest[place] = max(self._dearest[place], amount)
        return cost


def _spent(limit: float, spent: float, unit: str, under_way: int) -> BudgetSpent:
    amounts = f"{spent:,.0f} of {limit:,.0f} tokens" if unit == "tokens" else f"{spent:,.4f} of {limit:,.4f}"
    amounts += f", and {under_way} under way" if under_way else ""
    hint = "what was answered is kept: run the same command again to go on with a new budget"
    return BudgetSpent(f"the budget is spent ({amounts})", where=f"budget_{unit}", hint=hint)
