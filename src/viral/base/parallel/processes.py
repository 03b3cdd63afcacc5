"""Worker processes for functions that keep a processor busy: nothing of them outlives the map, whatever ends it."""

import io
import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, nullcontext
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

from viral.base.errors import ViralError
from viral.base.parallel.executor import PoolExecutor, take

T = TypeVar("T")
R = TypeVar("R")


class ProcessExecutor(PoolExecutor):
    """``workers`` fresh processes for each map; function, items and results are pickled between them.

    ``fresh`` gives every item a process of its own, so that what the operating system says of a process (its peak
    memory) is said of one item. Ctrl-C, an exception and the death of the parent (SIGKILL too) end the processes;
    code under way unwinds, except after a SIGKILL. One that is killed is a ``ViralError``: the map cannot go on.
    """

    def __init__(self, workers: int, *, fresh: bool = False) -> None:
        super().__init__(workers)
        self.fresh = fresh

    def _map(self, function: Callable[[T], R], items: Iterable[T], in_flight: int, ordered: bool) -> Iterator[R]:
        others = set(multiprocessing.active_children())
        pool = ProcessPoolExecutor(
            self.workers,
            mp_context=multiprocessing.get_context("spawn"),  # a forked copy of a process with threads may hang
            initializer=_prepare,
            initargs=(max(1, (os.cpu_count() or 1) // self.workers),),
            max_tasks_per_child=1 if self.fresh else None,
        )
        under_way: deque[Future[R]] = deque()
        try:
            for item in items:
                under_way.append(pool.submit(_call, function, item))
                if len(under_way) >= in_flight:
                    yield take(under_way, ordered).result()
            while under_way:
                yield take(under_way, ordered).result()
        except BrokenProcessPool:
            hint = "most likely for want of memory; use fewer workers. The same command goes on where it was"
            raise ViralError("a worker process was killed", hint=hint) from None
        finally:
            busy = [future for future in under_way if not future.cancel() and not future.done()]
            with _terminated(others) if busy else nullcontext():
                pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _terminated(others: Collection[BaseProcess]) -> Iterator[None]:
    """End every child process but ``others`` until the block ends: the pool may just be starting one more.

    That one would find the pool's end of its pipe closed, and print the interpreter's own traceback.
    """
    over = threading.Event()

    def end_them() -> None:
        while True:
            for child in set(multiprocessing.active_children()) - set(others):
                child.terminate()
            if over.wait(0.05):
                return

    thread = threading.Thread(target=end_them)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


_leaving, _at_work = threading.Event(), threading.Event()


def _call(function: Callable[[T], R], item: T) -> R:
    if _leaving.is_set():  # items that were handed over before the end
        raise SystemExit
    _at_work.set()
    try:
        return function(item)
    finally:
        _at_work.clear()


def _prepare(threads: int) -> None:
    """What a worker does first: its share of the cores, no bars, and to end when the parent says so or is gone."""
    asked = os.environ.get("OMP_NUM_THREADS", "")  # by the user, who may share the machine; never more than that
    fewer = min(threads, int(asked)) if asked.isdecimal() and int(asked) > 0 else threads
    os.environ["OMP_NUM_THREADS"] = str(fewer)  # read by torch when the function imports it
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends Ctrl-C to all of us; the parent ends the workers
    signal.signal(signal.SIGTERM, _leave)
    sys.stderr = _Log(os.fdopen(os.dup(2), "wb"), encoding="utf-8", line_buffering=True)
    threading.Thread(target=_follow_parent, daemon=True).start()


class _Log(io.TextIOWrapper):
    """Standard error without bars: those of several processes would overwrite each other."""

    def isatty(self) -> bool:
        return False


def _leave(number: int, frame: Any) -> None:
    """Let what is under way unwind, once; a process that is just starting or ending has nothing to unwind."""
    if not _at_work.is_set():
        os._exit(128 + number)
    if not _leaving.is_set():
        _leaving.set()
        raise SystemExit(128 + number)


def _follow_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
