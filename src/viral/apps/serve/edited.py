"""Descriptions that humans wrote since the bundle was made, for answers that show an item."""

import threading
from collections.abc import Mapping

from viral.apps.serve.snapshot import Snapshot
from viral.apps.serve.watched import Signature, signature
from viral.data.edits import EDITS_FILE
from viral.enrich import load_edits


class Edits:
    """The data set's file of edits, read again when it has changed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: Signature | None = None
        self._texts: Mapping[str, str] = {}

    def of(self, snapshot: Snapshot) -> Mapping[str, str]:
        """Human descriptions by item id, as the file is now."""
        if snapshot.dataset is None:
            return {}
        seen = signature(snapshot.dataset.path / EDITS_FILE)
        with self._lock:
            if seen != self._seen:
                self._texts, self._seen = load_edits(snapshot.dataset), seen
            return self._texts


def edits_of(snapshot: Snapshot) -> Mapping[str, str]:
    """Human descriptions by item id, as they are now."""
    return snapshot.kept(Edits).of(snapshot)
