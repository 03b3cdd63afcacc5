"""On which items a run may ask a describer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from viral.enrich.entries import Entry

if TYPE_CHECKING:
    from viral.data.fetch import Fetcher


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """On which items a run may ask a describer, and whether it may fetch their pictures."""

    max_attempts: int = 3  # after which an item is no longer asked for
    retry_failed: bool = False  # ask for those again, and for what was refused
    locked: Mapping[str, str] = field(default_factory=dict)  # what a human wrote (``edits``): not asked for
    fetcher: "Fetcher | None" = None  # of pictures that the catalogue only names by URL

    def settled(self, entry: Entry) -> bool:
        """Whether nothing is to be asked where this is what is known."""
        if entry.status == "done" or self.retry_failed:
            return entry.status == "done"
        return entry.status == "refused" or entry.attempts >= self.max_attempts
