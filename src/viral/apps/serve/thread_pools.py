"""Where work is done that would stop the event loop: ranking in one small pool, what takes long in another."""

import asyncio
import contextvars
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch
from fastapi import Request

from viral.apps.serve.problems import Problem

R = TypeVar("R")
THREADS = 2  # that rank in one worker: while one is inside torch, the other makes an answer
WAITING = 256  # requests that may wait to be ranked; more are turned away rather than answered too late
LONG_WAITING = 8
SWITCH_SECONDS = 5e-4  # a tenth of Python's: while a new bundle is read, a request waits for the interpreter many times


class Pool:
    """Threads with a bounded queue."""

    def __init__(self, name: str, threads: int, waiting: int) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._room = threads + waiting
        self._inside = 0

    async def run(self, function: Callable[[], R]) -> R:
        """The function's result; 503 where too much is waiting already."""
        if self._inside >= self._room:
            raise Problem(503, "too much to do", hint="again in a moment", headers={"Retry-After": "1"})
        self._inside += 1
        future = self._executor.submit(contextvars.copy_context().run, function)  # in the request's language
        try:
            return await asyncio.wrap_future(future)
        finally:
            self._inside -= 1

    def close(self) -> None:
        """Wait for what runs, and let nothing new begin."""
        self._executor.shutdown(wait=True, cancel_futures=True)


class Pools:
    """The pools of one application."""

    def __init__(self) -> None:
        if "OMP_NUM_THREADS" not in os.environ:
            torch.set_num_threads(1)  # requests run side by side; each is too small to be shared out
        sys.setswitchinterval(SWITCH_SECONDS)
        self.ranking = Pool("ranking", THREADS, WAITING)
        self.long = Pool("long", 1, LONG_WAITING)  # one: describers and encoders are not asked from two threads
        self.writing = Pool("writing", 1, WAITING)

    def close(self) -> None:
        for pool in (self.ranking, self.long, self.writing):
            pool.close()


def pools(request: Request) -> Pools:
    """The pools of the application that answers."""
    found: Pools = request.app.state.pools
    return found
