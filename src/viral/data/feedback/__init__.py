"""What users did after training: kept durably by a server, and taken into a data set's log."""

from viral.data.feedback.events import (
    ID,
    ID_PATTERN,
    KIND,
    KINDS,
    MAX_ID,
    TAKEN,
    VARIANT,
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
    "ID", "ID_PATTERN", "KIND", "KINDS", "MAX_ID", "REFUSED_FILE", "REPORT_FILE", "TAKEN", "VARIANT", "Event", "Full",
    "append", "check_kind", "default_file", "is_id", "merge", "read",
]  # fmt: skip
