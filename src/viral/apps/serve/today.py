"""What came in since midnight, as far as it can be told at once: events of feedback, by the end of their file."""

import re
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

READ = 8_000_000  # bytes of the end of the file: some 80,000 events
_TIME = re.compile(rb'"timestamp": (\d{1,15})')


class Counted(NamedTuple):
    """How many events, and whether there may be more."""

    events: int
    least: bool  # the file's end did not reach back to midnight


def midnight(now: float) -> float:
    """The begin of the day on this machine's clock."""
    return datetime.fromtimestamp(now).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()


def feedback_of_today(file: Path, now: float) -> Counted:
    """Events whose time is of today; none of a file that is not there."""
    try:
        with file.open("rb") as lines:
            size = lines.seek(0, 2)
            lines.seek(max(0, size - READ))
            times = [int(one) for one in _TIME.findall(lines.read())]
    except OSError:
        return Counted(0, False)
    since = midnight(now)
    found = sum(since <= one <= now + 60 for one in times)
    return Counted(found, size > READ and found == len(times))
