"""What the process does with memory: what the C library keeps, and the most there ever was."""

import ctypes
import resource
import sys

# Parameters of mallopt(3) by number, as <malloc.h> has them.
TRIM_THRESHOLD, MMAP_MAX = -1, -4


def keep_pages() -> None:
    """Make glibc keep the memory of a step's tables for the next step instead of giving it back to the system.

    Fresh pages cost a step of LightGCN a fifth of its time, and one of VIRAL on a large log a quarter. By itself glibc
    keeps 64 MiB at most, and never a block of more than 32 MiB. Under other C libraries nothing happens.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(MMAP_MAX, 0)  # no block comes from the system alone, to go back to it
        mallopt(TRIM_THRESHOLD, -1)  # nothing is given back


def peak_memory_bytes() -> int:
    """The largest resident set this process ever had."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
