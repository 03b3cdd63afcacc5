"""Feedback added to a data set's log, as further training rows."""

import json
import os
import shutil
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viral.base.errors import UsageError, nearest
from viral.base.files import staged_folder, write_json
from viral.data.catalog import ITEMS_FILE
from viral.data.dataset import IMAGES_FOLDER, Dataset, Rejection, Source, rejections_of, write_tables
from viral.data.feedback.events import KINDS, POSITIVE_KINDS, Event, read
from viral.data.parquet import read_parquet

if TYPE_CHECKING:
    import polars as pl

REPORT_FILE, REFUSED_FILE = "feedback.json", "feedback-rejected.jsonl"
_MILLISECONDS = 100_000_000_000  # a time above it is no number of seconds of our days


def merge(dataset: Dataset, file: Path, out: Path, *, kinds: Collection[str] = POSITIVE_KINDS) -> dict[str, Any]:
    """Write the data set with the feedback as further training rows to ``out``, which may be the data set itself.

    A pair that the log has already, in whatever part, or that came before in the file is dropped; so is an event whose
    item is not in the catalogue, or of another kind; each is counted. A log without a ``split`` column gets the one
    that it is trained by, so that nothing that is held out is learnt. Pictures are linked, all else is copied.
    """
    events, refused = read(file)
    there = {*KINDS, *(event.kind for event in events)}
    for kind in kinds:
        if kind not in there:
            raise UsageError(f"unknown kind {kind!r}", hint=nearest(kind, there))
    from viral.data.split_rules import with_split

    log, items = with_split(dataset.interactions()), read_parquet(dataset.path / ITEMS_FILE)
    wanted = [event for event in events if event.kind in kinds]
    new, unknown, duplicates = _new(wanted, log, set(items["item_id"]))
    refused += [Rejection(file.name, None, "item_id", "unknown item", event.item_id) for event in unknown]
    known_users = set(log["user_id"])
    report = {
        "file": file.name,
        "events": len(events),
        "added": len(new),
        "new_users": len({event.user_id for event in new} - known_users),
        "duplicates": duplicates,
        "unknown_items": len(unknown),
        "other_kinds": dict(sorted(Counter(event.kind for event in events if event.kind not in kinds).items())),
        "variants": _by_variant(events),
        "refused_lines": dict(sorted(Counter(one.reason for one in refused if one.row is not None).items())),
    }
    _write(dataset, out, items, _joined(log, new), refused, report)
    return report


def _by_variant(events: Sequence[Event]) -> dict[str, dict[str, int]]:
    """How many events of each kind each variant of an A/B test got."""
    counts = Counter((event.variant, event.kind) for event in events if event.variant)
    found: dict[str, dict[str, int]] = {}
    for (variant, kind), count in sorted(counts.items()):
        found.setdefault(variant, {})[kind] = count
    return found


def _new(
    events: Sequence[Event], log: "pl.DataFrame", item_ids: Collection[str]
) -> tuple[list[Event], list[Event], int]:
    """The events that say something new, those of unknown items, and how many say what is known."""
    known = set(zip(log["user_id"].to_list(), log["item_id"].to_list(), strict=True))
    new, unknown, duplicates = [], [], 0
    for event in events:
        pair = (event.user_id, event.item_id)
        if event.item_id not in item_ids:
            unknown.append(event)
        elif pair in known:
            duplicates += 1
        else:
            known.add(pair)
            new.append(event)
    return new, unknown, duplicates


def _joined(log: "pl.DataFrame", new: Sequence[Event]) -> "pl.DataFrame":
    import polars as pl

    times = [event.timestamp for event in new]
    columns: dict[str, Any] = {
        "user_id": [event.user_id for event in new],
        "item_id": [event.item_id for event in new],
        "split": ["train"] * len(new),
    }
    if "timestamp" in log.columns:
        latest = log["timestamp"].cast(pl.Float64, strict=False).max()
        scale = 1000 if isinstance(latest, float) and latest > _MILLISECONDS else 1
        columns["timestamp"] = [when * scale for when in times]
    frame = pl.DataFrame(columns, schema_overrides={"user_id": pl.String, "item_id": pl.String, "split": pl.String})
    log = log.with_columns(pl.col("split").cast(pl.String))
    if "timestamp" in log.columns:
        frame = frame.with_columns(pl.col("timestamp").cast(log.schema["timestamp"], strict=False))
    return pl.concat([log.select(frame.columns), frame])


def _write(
    dataset: Dataset,
    out: Path,
    items: "pl.DataFrame",
    log: "pl.DataFrame",
    refused: Sequence[Rejection],
    report: dict[str, Any],
) -> None:
    same = out.resolve() == dataset.path.resolve()
    before = list(rejections_of(dataset.path))
    with staged_folder(out, overwrite=same) as folder:
        shutil.copytree(dataset.path, folder, copy_function=_carry, dirs_exist_ok=True)
        write_tables(folder, items, log, Source(**dataset.manifest["source"]), before)
        lines = (json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in refused)
        (folder / REFUSED_FILE).write_text("".join(lines), encoding="utf-8")
        write_json(folder / REPORT_FILE, report)


def _carry(source: str, target: str) -> None:
    """Link a picture, which is never written over, and copy whatever else there is."""
    if Path(source).parent.name == IMAGES_FOLDER:
        try:
            os.link(source, target)
            return
        except OSError:  # another disk
            pass
    shutil.copy2(source, target)
