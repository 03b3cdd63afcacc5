"""Whether an update's numbers are of the same test set as those of the run that it goes on from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Comparison:
    """``test_changed`` is None where the run before does not tell what it was measured on, or nothing is measured."""

    test_changed: bool | None
    test_note: str  # the same in words, for pages and the command line


def comparable(before: Mapping[str, Any], now: Mapping[str, Any]) -> Comparison:
    """Compare what two summaries were measured on: the test set's pairs, and the items that are ranked."""
    old, new = before.get("tested_on"), now["tested_on"]
    if not now["metrics"]:
        return Comparison(None, "")
    if old is None:
        return Comparison(
            None, "the run before does not tell what it was measured on: its numbers may be of other data"
        )
    if old["fingerprint"] == new["fingerprint"]:
        return Comparison(False, "measured on the same test set as the run before")
    counted = ", ".join(f"{old[name]:,} → {new[name]:,} {what}" for name, what in _COUNTED.items())
    return Comparison(
        True, f"the test set has changed ({counted}): these numbers and those of the run before are of different data"
    )


_COUNTED = {"users": "users", "interactions": "interactions", "items": "items to rank"}
