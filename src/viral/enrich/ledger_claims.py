"""Which requests a run is about to ask: others that use the same ledger leave them alone, so that nobody pays twice.

A claim ends with the answer, with the run, when its process is gone, or when its lease has run out unrenewed (a process
on another machine that was killed). Claims are rows of the ledger's table ``claims``: request, owner, until.
"""

import contextlib
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from viral.base.errors import DataError
from viral.base.locks import may_live, this_process
from viral.enrich.ledger import LOOKUP, Ledger

LEASE = 60.0  # seconds
RENEWAL = 15.0


class Claims:
    """The claims of one run, made in the thread that opened the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.owner = f"{this_process()}/{id(self)}"

    def take(self, requests: Sequence[bytes]) -> set[bytes]:
        """Claim those that nobody else has; returns those that are this run's now."""
        mine: set[bytes] = set()
        with self._ledger.transaction() as connection:
            for start in range(0, len(requests), LOOKUP):
                some, now = requests[start : start + LOOKUP], time.time()
                marks = ", ".join("?" * len(some))
                query = f"SELECT request, owner, until FROM claims WHERE request IN ({marks})"
                held = {request: (owner, until) for request, owner, until in connection.execute(query, some)}
                free = [request for request in some if request not in held or self._free(*held[request], now)]
                rows = [(request, self.owner, now + LEASE) for request in free]
                connection.executemany("INSERT OR REPLACE INTO claims VALUES (?, ?, ?)", rows)
                mine.update(free)
        return mine

    def _free(self, owner: str, until: float, now: float) -> bool:
        return owner == self.owner or not now < until <= now + 2 * LEASE or not may_live(owner.rpartition("/")[0])

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Renew the claims while the block runs, and give up at its end what was not answered."""
        over = threading.Event()
        renewing = threading.Thread(target=self._renew, args=(over,), daemon=True)
        renewing.start()
        try:
            yield
        finally:
            over.set()
            renewing.join()
            with self._ledger.transaction() as connection:
                connection.execute("DELETE FROM claims WHERE owner = ?", (self.owner,))

    def _renew(self, over: threading.Event) -> None:
        while not over.wait(RENEWAL):
            with (
                contextlib.suppress(DataError),  # held by another process for long: the lease outlasts three misses
                Ledger(self._ledger.path) as own,
                own.transaction() as connection,
            ):
                connection.execute("UPDATE claims SET until = ? WHERE owner = ?", (time.time() + LEASE, self.owner))
