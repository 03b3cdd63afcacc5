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
    pairs, items = (old[key] != new[key] for key in ("pairs_sha256", "items_sha256"))
    if not pairs and not items:
        return Comparison(False, "measured on the same test set as the run before")
    counted = [f"{old[name]:,} → {new[name]:,} {name}" for name in ("users", "interactions") if pairs]
    counted += [f"{old['items']:,} → {new['items']:,} items to rank"] if items else []
    changed = "the test set has changed" if pairs else "what is ranked for the test has changed"
    told = f"{changed} ({', '.join(counted)}): these numbers and those of the run before are of different data"
    return Comparison(True, told)
