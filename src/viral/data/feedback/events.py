"""What users did after training: events appended durably by a server, and read again.

The file is JSON lines of ``user_id, item_id, timestamp, kind``. An event is acknowledged only when it is on the disk;
a writer that dies leaves at most one line without an end, which the next writer takes away and a reader leaves out.
"""

import fcntl
import json
import os
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from viral.base.errors import DataError, UsageError
from viral.base.files import sync_folder
from viral.data.dataset import Rejection

KINDS = ("view", "click", "cart", "purchase", "like", "dislike")
POSITIVE_KINDS = ("click", "cart", "purchase", "like")  # what counts as an interaction
KIND = re.compile(r"[a-z][a-z0-9_-]{0,31}")  # of a shop's own
VARIANT = re.compile(r"[A-Za-z0-9._-]{1,64}")
MAX_ID = 512
ID = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
_BLOCK = 65_536


@dataclass(frozen=True, slots=True)
class Event:
    """One user did something with one item."""

    user_id: str
    item_id: str
    timestamp: int  # seconds since 1970
    kind: str  # of ``KINDS``, or a shop's own
    variant: str = ""  # of an A/B test; "" for none

    def to_json(self) -> dict[str, Any]:
        """The fields of a line; no variant where there is none."""
        return {name: value for name, value in asdict(self).items() if name != "variant" or value}


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
    data = "".join(json.dumps(event.to_json(), ensure_ascii=False) + "\n" for event in events).encode()
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
    kind, variant = values.get("kind"), values.get("variant", "")
    if not isinstance(kind, str) or not KIND.fullmatch(kind):
        return "kind", "not a kind"
    if not isinstance(variant, str) or (variant and not VARIANT.fullmatch(variant)):
        return "variant", "not a variant"
    return Event(values["user_id"], values["item_id"], when, kind, variant)


def check_kind(kind: str) -> None:
    """``UsageError`` for a word that can be no kind of feedback."""
    if not KIND.fullmatch(kind):
        raise UsageError(f"{kind!r} is no kind of feedback", hint="up to 32 of a-z 0-9 _ -, a letter first")


def is_id(value: object) -> bool:
    """Whether something can be an id: text of 1 to 512 characters, none of them a control character."""
    return isinstance(value, str) and len(value) <= MAX_ID and ID.fullmatch(value) is not None
