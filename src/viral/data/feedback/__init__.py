"""What users did after training: kept durably by a server, and added to a data set's log."""

from viral.data.feedback.events import (
    ID,
    ID_PATTERN,
    KIND,
    KINDS,
    MAX_ID,
    POSITIVE_KINDS,
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
    "ID", "ID_PATTERN", "KIND", "KINDS", "MAX_ID", "REFUSED_FILE", "REPORT_FILE", "POSITIVE_KINDS", "VARIANT", "Event", "Full",
    "append", "check_kind", "default_file", "is_id", "merge", "read",
]  # fmt: skip
