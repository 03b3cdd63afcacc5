"""Who holds something that other processes must leave alone, and whether that process still lives."""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from viral.base.errors import UsageError


def this_process() -> str:
    """``host/pid/start``: a name that no other process has, and none that comes later."""
    return f"{_host()}/{os.getpid()}/{_started(os.getpid())}"


def may_live(owner: str) -> bool:
    """Whether the process of that name may still be running; of other hosts it is not known, so it may."""
    host, _, rest = owner.partition("/")
    pid, _, started = rest.partition("/")
    if host != _host() or not pid.isdecimal():
        return host != _host()
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    return started == _started(int(pid))


@cache
def _host() -> str:
    return re.sub(r"[^A-Za-z0-9-]", "-", os.uname().nodename)[:40] or "host"


def _started(pid: int) -> str:
    """When the process was started, in ticks since the machine was; "" where the system does not tell."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold ``path`` against other processes that would write it; the system lets go of it when a process dies.

    Raises ``UsageError`` where another one is at work on it.
    """
    path.absolute().parent.mkdir(parents=True, exist_ok=True)
    lock = path.absolute().parent / f".{path.name[:80]}.lock"
    while True:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise UsageError("another process is at work on this", where=str(path), hint="wait for it") from None
        if lock.exists() and lock.stat().st_ino == os.fstat(descriptor).st_ino:
            break
        os.close(descriptor)  # its holder has just removed it
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)
        os.close(descriptor)
