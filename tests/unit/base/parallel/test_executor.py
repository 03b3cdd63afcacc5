"""Executors: order, backpressure, faults, and nothing left running."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from viral.base.parallel import SerialExecutor, ThreadExecutor

EXECUTORS = [SerialExecutor(), ThreadExecutor(1), ThreadExecutor(4)]


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("in_flight", [1, 3, 100])
def test_results_come_in_the_order_of_the_items(executor, in_flight):
    def slow_first(number):
        time.sleep(0.02 if number == 0 else 0)
        return number * number

    assert list(executor.map(slow_first, range(20), in_flight=in_flight)) == [n * n for n in range(20)]


@pytest.mark.parametrize("in_flight", [1, 3, 100])
def test_without_an_order_a_slow_call_holds_nobody_back(in_flight):
    release = threading.Event()

    def first_waits(number):
        if number == 0 and in_flight > 1:
            assert release.wait(5)
        return number

    results = ThreadExecutor(2).map(first_waits, range(20), in_flight=in_flight, ordered=False)
    found = [next(results) for _ in range(19)]
    release.set()
    found += results
    assert sorted(found) == list(range(20))
    assert found[-1] == (0 if in_flight > 1 else 19)


def test_without_an_order_finished_results_do_not_wait_for_the_source():
    done = threading.Event()
    seen = []

    def source():
        yield 1
        assert done.wait(5)
        time.sleep(0.05)  # until the future knows
        yield 2
        assert seen == [1]
        yield 3

    for result in ThreadExecutor(1).map(lambda n: (done.set(), n)[1], source(), in_flight=10, ordered=False):
        seen.append(result)
    assert sorted(seen) == [1, 2, 3]


@pytest.mark.parametrize("executor", EXECUTORS)
def test_no_items_give_no_results(executor):
    assert list(executor.map(str, [], in_flight=2)) == []


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_source_without_end_is_read_no_further_than_in_flight(executor):
    read = []

    def source():
        number = 0
        while True:
            read.append(number)
            yield number
            number += 1

    results = executor.map(lambda number: number, source(), in_flight=3)
    for taken in range(1, 30):
        next(results)
        assert len(read) - taken < 3
    if hasattr(results, "close"):
        results.close()


def test_threads_do_run_side_by_side():
    barrier = threading.Barrier(3, timeout=5)  # broken unless three calls are under way at once
    assert list(ThreadExecutor(3).map(lambda _: barrier.wait() >= 0, range(3), in_flight=3)) == [True] * 3


def test_no_more_calls_at_once_than_workers():
    lock, now, most = threading.Lock(), 0, 0

    def count(_):
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.005)
        with lock:
            now -= 1

    list(ThreadExecutor(2).map(count, range(12), in_flight=12))
    assert most == 2


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_fault_is_raised_in_its_place_and_nothing_is_left_running(executor):
    before = threading.active_count()

    def fail(number):
        if number == 5:
            raise LookupError("five")
        return number

    results = executor.map(fail, range(100), in_flight=4)
    assert [next(results) for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(LookupError, match="five"):
        next(results)
    assert threading.active_count() == before


def test_a_fault_of_the_source_ends_the_map():
    def source():
        yield 1
        raise OSError("gone")

    before = threading.active_count()
    with pytest.raises(OSError, match="gone"):
        list(ThreadExecutor(2).map(str, source(), in_flight=4))
    assert threading.active_count() == before


def test_stopping_early_drops_what_is_queued():
    started = []

    def work(number):
        started.append(number)
        time.sleep(0.01)
        return number

    results = ThreadExecutor(1).map(work, range(100), in_flight=50)
    assert next(results) == 0
    results.close()
    count = len(started)
    assert count < 10
    time.sleep(0.05)
    assert len(started) == count


@pytest.mark.parametrize("executor", EXECUTORS)
def test_in_flight_must_be_positive(executor):
    with pytest.raises(ValueError, match="in_flight"):
        executor.map(str, [1], in_flight=0)


def test_workers_must_be_positive():
    with pytest.raises(ValueError, match="workers"):
        ThreadExecutor(0)


# Several threads write lines here, and print() writes a text and its line's end one after the other: each line is
# written at once, so that none can come to stand within another.
INTERRUPTED = """
import os
import time
from viral.base.parallel import ThreadExecutor

def say(line):
    os.write(1, (line + "\\n").encode())

def work(number):
    say(f"started {number}")
    time.sleep(0.3)
    return number

try:
    for number in ThreadExecutor(2).map(work, range(1000), in_flight=8, ordered=ORDERED):
        say(f"result {number}")
except KeyboardInterrupt:
    say("interrupted")
"""


@pytest.mark.parametrize("ordered", [True, False])
def test_ctrl_c_ends_it_soon_and_hands_out_what_was_under_way(ordered):
    code = INTERRUPTED.replace("ORDERED", str(ordered))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        first = process.stdout.readline()
        assert first.startswith("started")
        os.kill(process.pid, signal.SIGINT)
        lines = [first, *process.stdout.read().splitlines()]
    assert lines[-1] == "interrupted"
    assert process.returncode == 0
    numbers = {word: {line.split()[1] for line in lines if line.startswith(word)} for word in ("started", "result")}
    assert numbers["started"] == numbers["result"] and len(numbers["started"]) < 8
