"""The HTTP rate limit: a token bucket for each key."""

import time
from collections import OrderedDict
from collections.abc import Callable


class Buckets:
    """One bucket a key, filled by ``rate`` a second up to ``burst``; the keys used last are remembered."""

    def __init__(
        self, rate: float, burst: float, *, most: int = 10_000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.rate, self.burst = rate, burst
        self._most, self._clock = most, clock
        self._filled: OrderedDict[str, tuple[float, float]] = OrderedDict()  # key -> (what is left, when)

    def take(self, key: str, cost: float = 1.0) -> float:
        """0 where ``cost`` was paid, else the seconds after which it could be."""
        now = self._clock()
        left, then = self._filled.pop(key, (self.burst, now))
        left = min(self.burst, left + (now - then) * self.rate)
        cost = min(cost, self.burst)
        wait = max(0.0, (cost - left) / self.rate)
        self._filled[key] = (left if wait else left - cost, now)
        if len(self._filled) > self._most:
            self._filled.popitem(last=False)
        return wait
