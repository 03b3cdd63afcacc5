"""What the process does with memory: what the C library keeps, and the most there ever was."""

import ctypes
import resource
import sys

# Parameters of mallopt(3) by number, as <malloc.h> has them.
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
LARGEST_KEPT = 32 << 20  # bytes: glibc takes no larger block from what it keeps
MOST_KEPT = (1 << 31) - 1


def keep_pages() -> None:
    """Make glibc keep the memory of a step's tables for the next step instead of giving it back to the system.

    Fresh pages cost a step of LightGCN a fifth of its time, and one of VIRAL a tenth. By itself glibc keeps 64 MiB at
    most. Under other C libraries nothing happens.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(MMAP_THRESHOLD, LARGEST_KEPT)
        mallopt(TRIM_THRESHOLD, MOST_KEPT)


def peak_memory_bytes() -> int:
    """The largest resident set this process ever had."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
