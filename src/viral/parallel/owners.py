"""Who holds something that other processes must leave alone, and whether that process still lives."""

import os
import re
from functools import cache
from pathlib import Path


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
