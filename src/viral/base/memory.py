"""What the process does with memory: what the C library keeps, and the most there ever was."""

import ctypes
import resource
import sys
from pathlib import Path

# Parameters of mallopt(3) by number, as <malloc.h> has them.
TRIM_THRESHOLD, MMAP_MAX = -1, -4
STATUS = Path("/proc/self/status")


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
    """The largest resident set this program ever had.

    Linux tells it by itself; ``getrusage`` counts there what the process was before it began this program, too.
    """
    told = field_of(STATUS, "VmHWM:")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return told or (peak if sys.platform == "darwin" else peak * 1024)


def field_of(file: Path, name: str) -> int | None:
    """A field of one of Linux's tables, in bytes; None where there is none."""
    if sys.platform != "linux" or not file.is_file():
        return None
    for line in file.read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    return None
