"""What a human wrote in the place of a describer: kept with the data set, and never overwritten by a run."""

import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from viral.base.errors import DataError, UnknownIdError, UsageError, nearest
from viral.base.files import read_json, write_json
from viral.data.dataset import Dataset

EDITS_FILE = Path("descriptions") / "edits.json"
HUMAN = "human"
LIMIT = 5000  # characters
_FORMAT = 1
_HINT = "mend it, or move it away to go on without the human descriptions"


def load_edits(dataset: Dataset) -> dict[str, str]:
    """Item id to human description; empty where nobody has written any. ``DataError`` for a file that is damaged."""
    return {item_id: entry["text"] for item_id, entry in _entries(dataset).items()}


def edit(dataset: Dataset, item_id: str, text: str) -> str:
    """Describe an item by hand, and lock it: no run asks for it or replaces the text. Returns the text as it is kept.

    Raises ``UnknownIdError`` for an item that is not in the catalogue, ``UsageError`` for a text without words.
    """
    dataset.catalog()[item_id]
    kept = " ".join("".join(c for c in text if c.isspace() or unicodedata.category(c) not in ("Cc", "Cs")).split())
    if not kept or len(kept) > LIMIT:
        hint = f"give it with --text: between 1 and {LIMIT:,} characters"
        raise UsageError(f"a description of {len(kept):,} characters", where=f"item {item_id!r}", hint=hint)
    written = datetime.now(UTC).isoformat(timespec="seconds")
    _write(dataset, _entries(dataset) | {item_id: {"text": kept, "written": written}})
    return kept


def unlock(dataset: Dataset, item_id: str) -> str:
    """Take the human description away, so that the describer's counts again; returns it.

    ``UnknownIdError`` where the item has none.
    """
    entries = _entries(dataset)
    if item_id not in entries:
        raise UnknownIdError(f"item {item_id!r} was not edited", hint=nearest(item_id, entries))
    _write(dataset, {other: entry for other, entry in entries.items() if other != item_id})
    return entries[item_id]["text"]


def _entries(dataset: Dataset) -> dict[str, dict[str, str]]:
    file = dataset.path / EDITS_FILE
    if not file.is_file():
        return {}
    found = read_json(file)
    entries = found.get("edits") if isinstance(found, dict) and found.get("format") == _FORMAT else None
    if not isinstance(entries, dict):
        raise DataError(f"not a file of edits of format {_FORMAT}", where=str(file), hint=_HINT)
    for item_id, entry in entries.items():
        if not (isinstance(entry, dict) and isinstance(entry.get("text"), str) and entry["text"]):
            raise DataError(f"the edit of item {item_id!r} has no text", where=str(file), hint=_HINT)
    return entries


def _write(dataset: Dataset, entries: Mapping[str, Mapping[str, str]]) -> None:
    write_json(dataset.path / EDITS_FILE, {"format": _FORMAT, "edits": dict(sorted(entries.items()))})
