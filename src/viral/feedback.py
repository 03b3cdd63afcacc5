"""What users did after training: events appended durably by a server, and taken into a data set's log.

The file is JSON lines of ``user_id, item_id, timestamp, kind``. An event is acknowledged only when it is on the disk;
a writer that dies leaves at most one line without an end, which the next writer takes away and a reader leaves out.
"""

import fcntl
import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viral.catalog import ITEMS_FILE, read_parquet
from viral.dataset import IMAGES_FOLDER, REJECTED_FILE, Dataset, Rejection, Source, write_tables
from viral.errors import DataError, UsageError, nearest
from viral.files import staged_folder, sync_folder, write_json

if TYPE_CHECKING:
    import polars as pl

KINDS = ("view", "click", "cart", "purchase", "like", "dislike")
TAKEN = ("click", "cart", "purchase", "like")  # what says that somebody chose an item
REPORT_FILE, REFUSED_FILE = "feedback.json", "feedback-rejected.jsonl"
MAX_ID = 512
ID_PATTERN = r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]+"
ID = re.compile(ID_PATTERN)
_BLOCK = 65_536
_MILLISECONDS = 100_000_000_000  # a time above it is no number of seconds of our days


@dataclass(frozen=True, slots=True)
class Event:
    """One user did something with one item."""

    user_id: str
    item_id: str
    timestamp: int  # seconds since 1970
    kind: str  # of ``KINDS``


class Full(DataError):
    """The file has reached its size."""


def default_file(run: Path) -> Path:
    """Where feedback on a run goes: beside its folder, because an update puts another folder in its place."""
    place = run.resolve()
    return place.with_name(f"{place.name}.feedback.jsonl")


def append(file: Path, events: Iterable[Event], *, max_bytes: int) -> None:
    """Put events at the end of a file, and return when they are on the disk; several processes may do so at once.

    Raises ``Full`` where the file would become longer than ``max_bytes``.
    """
    data = "".join(json.dumps(asdict(event), ensure_ascii=False) + "\n" for event in events).encode()
    new = not file.exists()
    descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        size = _mended(descriptor)
        if size + len(data) > max_bytes:
            raise Full(f"the feedback file is full ({size:,} bytes)", where=str(file), hint="move it away")
        written = os.write(descriptor, data)
        if written != len(data):  # the disk is full
            os.ftruncate(descriptor, size)
            raise OSError(f"only {written} of {len(data)} bytes could be written")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if new:
        sync_folder(file.parent)


def _mended(descriptor: int) -> int:
    """The file's size without a last line that has no end: whoever wrote that died before anybody was told."""
    size = end = os.fstat(descriptor).st_size
    while end:
        start = max(0, end - _BLOCK)
        place = os.pread(descriptor, end - start, start).rfind(b"\n")
        if place >= 0:
            end = start + place + 1
            break
        end = start
    if end != size:
        os.ftruncate(descriptor, end)
    return end


def read(file: Path) -> tuple[list[Event], list[Rejection]]:
    """The events of a file in their order, and the lines that are none; ``DataError`` where there is no file."""
    if not file.is_file():
        hint = "`viral serve RUN` writes one; or name it with --file"
        raise DataError("no feedback", where=str(file), hint=hint)
    events, refused = [], []
    with file.open("rb") as lines:
        for row, line in enumerate(lines, start=1):
            found = _parsed(line)
            if isinstance(found, Event):
                events.append(found)
            else:
                refused.append(Rejection(file.name, row, *found))
    return events, refused


def _parsed(line: bytes) -> Event | tuple[str, str]:
    """The event of a line, or the field and the reason why it is none."""
    if not line.endswith(b"\n"):
        return "", "line without an end"
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        return "", "not JSON"
    if not isinstance(values, dict):
        return "", "not an object"
    for name in ("user_id", "item_id"):
        if not is_id(values.get(name)):
            return name, "not an id"
    when = values.get("timestamp")
    if isinstance(when, bool) or not isinstance(when, int):
        return "timestamp", "not a number of seconds"
    if values.get("kind") not in KINDS:
        return "kind", "unknown kind"
    return Event(values["user_id"], values["item_id"], when, values["kind"])


def is_id(value: object) -> bool:
    """Whether something can be an id: text of 1 to 512 characters, none of them a control character."""
    return isinstance(value, str) and len(value) <= MAX_ID and ID.fullmatch(value) is not None


def merge(dataset: Dataset, file: Path, out: Path, *, kinds: Collection[str] = TAKEN) -> dict[str, Any]:
    """Write the data set with the feedback as further training rows to ``out``, which may be the data set itself.

    A pair that the log has already, in whatever part, or that came before in the file is dropped; so is an event whose
    item is not in the catalogue, or of another kind; each is counted. A log without a ``split`` column gets the one
    that it is trained by, so that nothing that is held out is learnt. Pictures are linked, all else is copied.
    """
    for kind in kinds:
        if kind not in KINDS:
            raise UsageError(f"unknown kind {kind!r}", hint=nearest(kind, KINDS))
    events, refused = read(file)
    log, items = _with_split(dataset.interactions()), read_parquet(dataset.path / ITEMS_FILE)
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
        "refused_lines": dict(sorted(Counter(one.reason for one in refused if one.row is not None).items())),
    }
    _write(dataset, out, items, _joined(log, new), refused, report)
    return report


def _with_split(log: "pl.DataFrame") -> "pl.DataFrame":
    if "split" in log.columns:
        return log
    from viral.data.splitting import random_split

    return random_split(log.unique(["user_id", "item_id"], keep="first", maintain_order=True), seed=0)


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
    before = list(_rejections(dataset.path / REJECTED_FILE))
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


def _rejections(file: Path) -> Iterator[Rejection]:
    if file.is_file():
        with file.open(encoding="utf-8") as lines:
            yield from (Rejection(**json.loads(line)) for line in lines)
