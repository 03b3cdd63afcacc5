"""What users did after training: kept durably by a server, and added to a data set's log."""

from viral.data.feedback.events import (
    KIND,
    KINDS,
    POSITIVE_KINDS,
    Event,
    Full,
    append,
    check_kind,
    default_file,
    is_id,
    read,
)
from viral.data.feedback.merging import REFUSED_FILE, REPORT_FILE, merge

__all__ = [
    "KIND",
    "KINDS",
    "POSITIVE_KINDS",
    "REFUSED_FILE",
    "REPORT_FILE",
    "Event",
    "Full",
    "append",
    "check_kind",
    "default_file",
    "is_id",
    "merge",
    "read",
]
