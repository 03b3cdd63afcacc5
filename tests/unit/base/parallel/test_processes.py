"""Worker processes: results in order, faults at their place, and nothing that outlives the map."""

import math
import multiprocessing
import operator
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from viral.base.errors import ViralError
from viral.base.parallel.processes import ProcessExecutor


def gone(pid: int) -> bool:
    """Whether the process has ended (a zombie has)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
        return stat.rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def wait_until(condition, seconds=30.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def test_results_are_in_the_order_of_the_items():
    assert list(ProcessExecutor(2).map(math.factorial, [5, 3, 4], in_flight=3)) == [120, 6, 24]
    assert multiprocessing.active_children() == []


def test_without_an_order_results_come_as_they_are_there():
    found = ProcessExecutor(2).map(
        subprocess.getoutput, ["sleep 2; echo late", "echo soon"], in_flight=2, ordered=False
    )
    assert list(found) == ["soon", "late"]


def test_fresh_processes_are_one_for_each_item():
    pids = list(ProcessExecutor(1, fresh=True).map(operator.call, [os.getpid] * 2, in_flight=2))
    assert len({*pids, os.getpid()}) == 3


@pytest.mark.parametrize(("asked", "threads"), [("1", 1), ("4096", os.cpu_count()), ("", os.cpu_count())])
def test_a_worker_has_its_share_of_the_cores_and_no_more_threads_than_the_user_asked_for(asked, threads, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", asked)
    (seen,) = ProcessExecutor(1).map(os.getenv, ["OMP_NUM_THREADS"], in_flight=1)
    assert seen == str(threads)


def test_an_exception_comes_at_its_item_and_ends_the_map():
    found = ProcessExecutor(1).map(math.sqrt, [4.0, -1.0, 9.0], in_flight=3)
    assert next(found) == 2
    with pytest.raises(ValueError):
        next(found)
    assert multiprocessing.active_children() == []


def test_a_consumer_that_stops_ends_the_work_under_way():
    started = time.monotonic()
    found = ProcessExecutor(1).map(time.sleep, [0, 60], in_flight=2)
    next(found)
    found.close()
    assert time.monotonic() - started < 30 and multiprocessing.active_children() == []


def test_a_worker_that_is_killed_is_said():
    with pytest.raises(ViralError, match="killed"):
        list(ProcessExecutor(1).map(signal.raise_signal, [signal.SIGKILL], in_flight=1))


@pytest.mark.parametrize(("workers", "in_flight"), [(0, 1), (1, 0)])
def test_numbers_below_one_are_refused(workers, in_flight):
    with pytest.raises(ValueError):
        ProcessExecutor(workers).map(abs, [1], in_flight=in_flight)


SCRIPT = """
import os, signal, time
from operator import call
from functools import partial
from pathlib import Path
from viral.base.parallel.processes import ProcessExecutor
if __name__ == "__main__":
    signal.siginterrupt(signal.SIGINT, False)  # as libraries do that handle the signal themselves: nobody is woken
    for found in ProcessExecutor(1).map(call, [os.getpid, partial(time.sleep, 60)], in_flight=2):
        print(found, flush=True)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_no_worker_outlives_its_parent(how, tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    with subprocess.Popen(
        [sys.executable, str(tmp_path / "script.py")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        assert worker != parent.pid and not gone(worker)
        time.sleep(0.5)  # until it waits
        parent.send_signal(how)
        parent.wait(20)
    wait_until(partial(gone, worker))
