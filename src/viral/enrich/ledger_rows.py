"""A ledger's rows (what determines a description, and what became of it) and the tables that keep them."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from viral.base.files import fingerprint
from viral.data.descriptions import Spent, Status

KEY_COLUMNS = (
    "item_id", "image_sha256", "rendered_sha256", "describer", "revision", "prompt", "prompt_sha256", "parameters",
)  # fmt: skip
SUMMED = ("attempts", "tokens_in", "tokens_out", "cost")  # over all attempts; the others are of the last one
COLUMNS = (*KEY_COLUMNS, "status", "text", "error", "attempts", "seconds", "created", *SUMMED[1:])
DAMAGED = "what was stored is damaged"
VERSION = 3  # kept in PRAGMA user_version
_CLAIMS = "CREATE TABLE IF NOT EXISTS claims (request BLOB PRIMARY KEY, owner TEXT NOT NULL, until REAL NOT NULL)"
SCHEMA = f"""
CREATE TABLE IF NOT EXISTS entries (
    key BLOB PRIMARY KEY,      -- digest of {", ".join(KEY_COLUMNS)}
    request BLOB NOT NULL,     -- digest of the same without the item's id
    {", ".join(f"{name} TEXT NOT NULL" for name in (*KEY_COLUMNS, "status", "text", "error"))},
    attempts INTEGER NOT NULL, -- how often a describer was asked
    seconds REAL NOT NULL,     -- of the last attempt
    created TEXT NOT NULL,     -- of the last attempt, UTC
    tokens_in INTEGER NOT NULL DEFAULT 0,  -- of all attempts, as the cost is
    tokens_out INTEGER NOT NULL DEFAULT 0,
    cost REAL NOT NULL DEFAULT 0,          -- in the currency of the describer's prices
    sum BLOB                   -- checksum of the text; NULL in rows of before version 3
);
CREATE INDEX IF NOT EXISTS entries_request ON entries (request, status);
CREATE INDEX IF NOT EXISTS entries_describer ON entries (describer, prompt, item_id);
{_CLAIMS};
"""
# What a ledger of an older version lacks, by that version.
MIGRATIONS = {
    1: (
        "ALTER TABLE entries ADD COLUMN tokens_in INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE entries ADD COLUMN tokens_out INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE entries ADD COLUMN cost REAL NOT NULL DEFAULT 0",
    ),
    2: (_CLAIMS, "ALTER TABLE entries ADD COLUMN sum BLOB"),
}


@dataclass(frozen=True)
class RequestKey:
    """What determines a description.

    ``rendered_sha256`` is of the prompt with the item's title in it: a new title asks again where the prompt uses the
    title, and only there. ``request`` leaves out the item: two items with one picture share one answer.
    """

    item_id: str
    image_sha256: str
    rendered_sha256: str
    describer: str
    revision: str
    prompt: str
    prompt_sha256: str
    parameters: str  # canonical JSON

    @cached_property
    def digest(self) -> bytes:
        return hashlib.sha256(self.request + self.item_id.encode("utf-8")).digest()

    @cached_property
    def request(self) -> bytes:
        return bytes.fromhex(fingerprint([getattr(self, name) for name in KEY_COLUMNS[1:]]))


@dataclass(frozen=True, slots=True)
class Entry:
    """One row: what was said, or why nothing was.

    Attempts, tokens and cost of what is put into a ledger are added to those on record.
    """

    key: RequestKey
    status: Status
    text: str = ""
    error: str = ""
    attempts: int = 1  # how often a describer was asked
    seconds: float = 0.0  # of the last attempt
    created: str = ""  # of the last attempt: UTC, ISO 8601; the time of ``put`` where it is empty
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float = 0.0  # in the currency of the describer's prices


def checksum(entry: Entry) -> bytes:
    """Of what was asked and what was said; eight bytes."""
    words = (*(getattr(entry.key, name) for name in KEY_COLUMNS), entry.text)
    return hashlib.sha256("\0".join(map(str, words)).encode("utf-8", "surrogatepass")).digest()[:8]


def entry_of(row: tuple[Any, ...]) -> Entry:
    """The entry in a row of key, sum and ``COLUMNS``; one whose checksum differs is a failed attempt.

    Rows of before there were checksums have none.
    """
    _, kept, *values = row
    entry = Entry(RequestKey(*values[: len(KEY_COLUMNS)]), *values[len(KEY_COLUMNS) :])
    if isinstance(entry.attempts, int) and kept in (None, checksum(entry)):
        return entry
    return replace(entry, status="failed", text="", error=DAMAGED, attempts=0)


def row_of(entry: Entry, now: str) -> tuple[object, ...]:
    """The key's two digests, the sum, and the row of ``COLUMNS``."""
    key, stamped = entry.key, entry if entry.created else replace(entry, created=now)
    values = (getattr(stamped, name) for name in COLUMNS[len(KEY_COLUMNS) :])
    return (key.digest, key.request, checksum(entry), *(getattr(key, name) for name in KEY_COLUMNS), *values)


def spent_on(entries: Iterable[Entry]) -> Spent:
    """What all attempts of these rows took."""
    return sum((Spent(one.attempts, one.tokens_in, one.tokens_out, one.cost) for one in entries), Spent())
