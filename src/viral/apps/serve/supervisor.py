"""Workers that are replaced as soon as they are gone, and a server that one broken worker does not end."""

import logging
import time
from socket import socket

from uvicorn.config import STARTUP_FAILURE, Config
from uvicorn.supervisors.multiprocess import Multiprocess, Process

ANSWER = 0.2  # seconds that a look at one worker may take
PATIENCE = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)  # seconds before a worker that could not start is tried again
log = logging.getLogger("viral.apps.serve")


class Supervisor(Multiprocess):
    """uvicorn's supervisor of workers, which waits for nobody.

    uvicorn waits for a worker's answer as long as a silent one may live, two minutes here: one that was killed in that
    moment was missed, and all others were not looked at. And it ends all workers where one cannot start: a damaged
    bundle on the disk, which the others do not serve, and a killed worker ended the service. Here a worker that cannot
    start is tried again, more and more seldom, while another one works; where none does, the server ends.
    """

    def __init__(self, config: Config, sockets: list[socket]) -> None:
        super().__init__(config, sockets)
        self._heard: dict[int, float] = {}  # by process id: when the worker last answered that it serves
        self._failures, self._next = 0, 0.0

    def keep_subprocess_alive(self) -> None:
        for place, process in enumerate(self.processes):
            if self.should_exit.is_set():
                return
            if process.process.is_alive():
                if not self._is_silent(process):
                    continue
                log.warning("worker %s says nothing and is replaced", process.pid)
                process.kill()
            process.join()
            if process.exitcode == STARTUP_FAILURE and not self._may_try(process):
                continue
            log.warning("worker %s has ended (%s) and is replaced", process.pid, process.exitcode)
            fresh = Process(self.config, self.sockets)
            fresh.start()
            self._heard[fresh.pid or 0] = time.monotonic()
            self.processes[place] = fresh

    def _is_silent(self, process: Process) -> bool:
        """Whether a living worker has not answered for longer than it may."""
        now = time.monotonic()
        answer = process._healthcheck(ANSWER)
        if answer is not None:
            self._heard[process.pid or 0] = now
        if answer:
            self._failures = 0 if all(other.process.is_alive() for other in self.processes) else self._failures
        return now - self._heard.setdefault(process.pid or 0, now) > self.config.timeout_worker_healthcheck

    def _may_try(self, failed: Process) -> bool:
        """Whether another worker is to be started for one that could not; ends the server where none works."""
        now = time.monotonic()
        if not any(other.process.is_alive() for other in self.processes):
            self.should_exit.set()
            return False
        if self._next == 0.0:
            self._next = now + PATIENCE[min(self._failures, len(PATIENCE) - 1)]
            self._failures += 1
        if now < self._next:
            return False
        self._next = 0.0
        return True

    @property
    def failed(self) -> bool:
        """Whether the server ended because no worker could start."""
        return any(process.exitcode == STARTUP_FAILURE for process in self.processes)
