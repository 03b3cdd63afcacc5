"""One function over a stream of items, with a bound on what is under way."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Executor(Protocol):
    """Maps a function over items.

    ``items`` is read lazily, in the caller's thread, and at most ``in_flight`` items have been read whose results have
    not been handed out, so that a slow consumer or function holds a fast source back and memory stays flat. Results
    come in the order of the items, or, where ``ordered`` is false, as soon as they are there. An exception of the
    function is raised at its item's place and ends the map. The function and the items must be picklable for executors
    that leave the process.
    """

    def map(
        self, function: Callable[[T], R], items: Iterable[T], *, in_flight: int, ordered: bool = True
    ) -> Iterator[R]: ...


class SerialExecutor:
    """One item after the other, in the caller's thread."""

    def map(
        self, function: Callable[[T], R], items: Iterable[T], *, in_flight: int = 1, ordered: bool = True
    ) -> Iterator[R]:
        check_least_one("in_flight", in_flight)
        return map(function, items)


class PoolExecutor(ABC):
    """A pool of ``workers`` for each map: what threads and processes have in common."""

    def __init__(self, workers: int) -> None:
        check_least_one("workers", workers)
        self.workers = workers

    def map(
        self, function: Callable[[T], R], items: Iterable[T], *, in_flight: int, ordered: bool = True
    ) -> Iterator[R]:
        check_least_one("in_flight", in_flight)
        return self._map(function, items, in_flight, ordered)

    @abstractmethod
    def _map(self, function: Callable[[T], R], items: Iterable[T], in_flight: int, ordered: bool) -> Iterator[R]: ...


class ThreadExecutor(PoolExecutor):
    """A pool of ``workers`` threads for each map, for functions that wait or that release the interpreter's lock.

    When the iterator ends early (an exception, the consumer stops), queued items are dropped and the calls under way
    are waited for, so that no thread outlives the map. On Ctrl-C the results of the calls under way are still handed
    out, before the interruption is raised: what was paid for is not lost. A second one ends that.
    """

    def _map(self, function: Callable[[T], R], items: Iterable[T], in_flight: int, ordered: bool) -> Iterator[R]:
        pool = ThreadPoolExecutor(self.workers, thread_name_prefix="viral")
        under_way: deque[Future[R]] = deque()
        try:
            for item in items:
                under_way.append(Future())  # before the call can start: Ctrl-C may come at any moment
                pool.submit(_call, under_way[-1], function, item)
                while len(under_way) >= in_flight or (not ordered and any(future.done() for future in under_way)):
                    yield take(under_way, ordered).result()
            while under_way:
                yield take(under_way, ordered).result()
        except KeyboardInterrupt:
            started = deque(future for future in under_way if not future.cancel())
            while started:
                yield take(started, ordered).result()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _call(future: Future[R], function: Callable[[T], R], item: T) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(function(item))
    except BaseException as error:
        future.set_exception(error)


def take(under_way: deque[Future[Any]], ordered: bool) -> Future[Any]:
    """Wait for the first that ends, or for the first of all where ``ordered``; it leaves ``under_way`` only then.

    In short waits: polars handles Ctrl-C with SA_RESTART, and a wait without end would then never be woken by it.
    """
    waited_for = [under_way[0]] if ordered else under_way
    while not (done := wait(waited_for, timeout=0.2, return_when=FIRST_COMPLETED).done):
        pass
    first = next(future for future in waited_for if future in done)
    under_way.remove(first)
    return first


def check_least_one(name: str, value: int) -> None:
    """Raise ``ValueError`` where a number is below one."""
    if value < 1:
        raise ValueError(f"{name} must be at least 1, not {value}")
