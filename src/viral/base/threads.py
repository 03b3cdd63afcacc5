"""How many threads compute, and how they wait for each other: OpenMP's, on which torch's products on a CPU run.

A thread that has done its part waits for the others before the next operation. By itself OpenMP lets it spin for some
milliseconds, which on a machine with a busy neighbour takes from the very thread that is waited for: the
demonstration's LightGCN took 114 s there where it takes 1.3. So threads spin shortly, then sleep. To sleep at once
costs a quiet machine a quarter to a third of a step of LightGCN on Baby, as threads wake slowly; this costs it nothing
(``docs/speed.md``). And where tables are small one thread computes, waiting for nobody: LightGCN is the quicker for it,
models of wide features are up to 1.7 times slower on a quiet machine.

What the user says goes first: ``OMP_WAIT_POLICY``, ``GOMP_SPINCOUNT`` or ``KMP_BLOCKTIME`` for waiting;
``OMP_NUM_THREADS``, ``MKL_NUM_THREADS`` or ``torch.set_num_threads`` for the number.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SMALL = 1 << 19  # numbers that are trained: LightGCN on a log of 8,000 nodes, which two threads do not train quicker
WAITING = {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "1000"}  # rounds of spinning, tens of microseconds
WAITING_ASKED = (*WAITING, "KMP_BLOCKTIME")
NUMBER_ASKED = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
SIBLINGS = "/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list"

# As the program was started: a worker process is told its share of the cores later, which is not the user's word.
_number_was_asked = any(os.environ.get(name) for name in NUMBER_ASKED)


def wait_briefly() -> None:
    """Set how OpenMP's threads wait, unless the user has; it is read when torch is imported, and never again."""
    if not any(name in os.environ for name in WAITING_ASKED):
        os.environ.update(WAITING)


@contextmanager
def threads_for(num_numbers: int) -> Iterator[int]:
    """Within it one thread computes where few numbers are trained, else as many as are set; yields how many.

    Sums are rounded otherwise by one thread than by two, so the choice follows from the size alone, not from how busy
    the machine is: the same run has the same result.
    """
    import torch

    before = torch.get_num_threads()
    number = 1 if num_numbers < SMALL and not _asked_for(before) else before
    if number == before:
        yield number
        return
    torch.set_num_threads(number)
    try:
        yield number
    finally:
        torch.set_num_threads(before)


def _asked_for(number: int) -> bool:
    """Whether that many threads are the user's wish: torch itself takes one a core, or a processor, or its share."""
    processors = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    cores, share = {_siblings(processor) for processor in processors}, os.environ.get("OMP_NUM_THREADS")
    own = {str(count) for count in (len(cores), len(processors), os.cpu_count(), share)}
    return _number_was_asked or str(number) not in own


def _siblings(processor: int) -> str:
    """The processors of a processor's core, where the system tells; else itself."""
    file = Path(SIBLINGS.format(processor))
    return file.read_text(encoding="ascii").strip() if file.is_file() else str(processor)
