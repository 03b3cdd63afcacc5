"""One function over a stream of items, in order, with a bound on what is under way."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Protocol, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Executor(Protocol):
    """Maps a function over items.

    ``items`` is read lazily, in the caller's thread, and at most ``in_flight`` items have been read whose results have
    not been handed out, so that a slow consumer or function holds a fast source back and memory stays flat. Results
    come in the order of the items. An exception of the function is raised at its item's place and ends the map.
    The function and the items must be picklable for executors that leave the process.
    """

    def map(self, function: Callable[[T], R], items: Iterable[T], *, in_flight: int) -> Iterator[R]: ...


class SerialExecutor:
    """One item after the other, in the caller's thread."""

    def map(self, function: Callable[[T], R], items: Iterable[T], *, in_flight: int = 1) -> Iterator[R]:
        _check("in_flight", in_flight)
        return map(function, items)


class ThreadExecutor:
    """A pool of ``workers`` threads for each map, for functions that wait or that release the interpreter's lock.

    When the iterator ends early (an exception, Ctrl-C, the consumer stops), queued items are dropped and the calls
    under way are waited for, so that no thread outlives the map.
    """

    def __init__(self, workers: int) -> None:
        _check("workers", workers)
        self.workers = workers

    def map(self, function: Callable[[T], R], items: Iterable[T], *, in_flight: int) -> Iterator[R]:
        _check("in_flight", in_flight)
        return self._map(function, items, in_flight)

    def _map(self, function: Callable[[T], R], items: Iterable[T], in_flight: int) -> Iterator[R]:
        pool = ThreadPoolExecutor(self.workers, thread_name_prefix="viral")
        under_way: deque[Future[R]] = deque()
        try:
            for item in items:
                under_way.append(pool.submit(function, item))
                if len(under_way) >= in_flight:
                    yield _result(under_way.popleft())
            while under_way:
                yield _result(under_way.popleft())
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _result(future: Future[R]) -> R:
    """The result, in short waits: polars handles Ctrl-C with SA_RESTART, which would not wake a long one."""
    while not wait([future], timeout=0.2).done:
        pass
    return future.result()


def _check(name: str, value: int) -> None:
    if value < 1:
        raise ValueError(f"{name} must be at least 1, not {value}")
