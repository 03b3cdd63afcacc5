"""The ledger of what describers have said: an SQLite file (WAL) in which the same request is never paid for twice.

One row per ``Key``. A batch of rows is one transaction, so that a killed process loses no more than the batches that
were under way. Two processes may use one ledger at a time: a text that is there is never replaced.
"""

import hashlib
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

from viral.enrich.base import Status
from viral.errors import DataError
from viral.files import fingerprint

VERSION = 1  # of the schema, kept in PRAGMA user_version
LEDGER_FILE = "ledger.sqlite"
_LOCK_SECONDS = 60.0
_LOOKUP = 500  # keys per query
_KEY_COLUMNS = (
    "item_id", "image_sha256", "rendered_sha256", "describer", "revision", "prompt", "prompt_sha256", "parameters",
)  # fmt: skip
_COLUMNS = (*_KEY_COLUMNS, "status", "text", "error", "attempts", "seconds", "created")
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS entries (
    key BLOB PRIMARY KEY,      -- digest of {", ".join(_KEY_COLUMNS)}
    request BLOB NOT NULL,     -- digest of the same without the item's id
    item_id TEXT NOT NULL,
    image_sha256 TEXT NOT NULL,
    rendered_sha256 TEXT NOT NULL,
    describer TEXT NOT NULL,
    revision TEXT NOT NULL,
    prompt TEXT NOT NULL,
    prompt_sha256 TEXT NOT NULL,
    parameters TEXT NOT NULL,
    status TEXT NOT NULL,
    text TEXT NOT NULL,
    error TEXT NOT NULL,
    attempts INTEGER NOT NULL, -- how often a describer was asked
    seconds REAL NOT NULL,     -- of the last attempt
    created TEXT NOT NULL      -- of the last attempt, UTC
);
CREATE INDEX IF NOT EXISTS entries_request ON entries (request, status);
CREATE INDEX IF NOT EXISTS entries_describer ON entries (describer, prompt, item_id);
"""
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM entries"
_PUT = f"""
INSERT INTO entries (key, request, {", ".join(_COLUMNS)}) VALUES ({", ".join("?" * (2 + len(_COLUMNS)))})
ON CONFLICT (key) DO UPDATE SET
    status = excluded.status, text = excluded.text, error = excluded.error, seconds = excluded.seconds,
    created = excluded.created, attempts = entries.attempts + excluded.attempts
WHERE entries.status <> 'done'
"""


@dataclass(frozen=True)
class Key:
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
        return bytes.fromhex(fingerprint([getattr(self, name) for name in _KEY_COLUMNS[1:]]))


@dataclass(frozen=True, slots=True)
class Entry:
    """One row: what was said, or why nothing was. ``attempts`` of what is put are added to those on record."""

    key: Key
    status: Status
    text: str = ""
    error: str = ""
    attempts: int = 1
    seconds: float = 0.0
    created: str = ""  # UTC, ISO 8601; the time of ``put`` where it is empty


class Ledger:
    """An open ledger, to be used from the thread that opened it; a context manager that closes it.

    Raises ``DataError`` where the file is damaged, locked, of another kind or of a newer version of VIRAL.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with _faults(path):
            # Transactions are written out below; WAL with NORMAL survives a killed process whole.
            self._connection = sqlite3.connect(path, timeout=_LOCK_SECONDS, isolation_level=None)
            try:
                self._open()
            except BaseException:
                self._connection.close()
                raise

    def _open(self) -> None:
        run = self._connection.execute
        # One statement, one view: another process may be making the tables at this moment.
        query = "SELECT user_version, (SELECT count(*) FROM sqlite_master) FROM pragma_user_version"
        version, tables = run(query).fetchone()
        if version > VERSION:
            hint = "upgrade viral, or use another ledger"
            raise DataError(
                f"a ledger of version {version}; this viral knows {VERSION}", where=str(self.path), hint=hint
            )
        if version == 0 and tables:
            raise DataError("a database, but not a ledger", where=str(self.path), hint="choose another file")
        self._write_ahead()
        run("PRAGMA synchronous = NORMAL")
        if version == 0:
            self._connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")

    def _write_ahead(self) -> None:
        """Switch to WAL, which needs the file for itself and, unlike a transaction, does not wait for that."""
        deadline = time.monotonic() + _LOCK_SECONDS
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    def get(self, keys: Iterable[Key]) -> dict[Key, Entry]:
        """The rows of those keys that have one."""
        digests, found = [key.digest for key in keys], {}
        with _faults(self.path):
            for start in range(0, len(digests), _LOOKUP):
                chunk = digests[start : start + _LOOKUP]
                where = f"WHERE key IN ({', '.join('?' * len(chunk))})"
                for row in self._connection.execute(f"{_SELECT} {where}", chunk):
                    entry = _entry(row)
                    found[entry.key] = entry
        return found

    def same(self, key: Key) -> Entry | None:
        """The first row, of whatever item, in which the request of ``key`` was answered ("done")."""
        where = "WHERE request = ? AND status = 'done' ORDER BY rowid LIMIT 1"
        with _faults(self.path):
            row = self._connection.execute(f"{_SELECT} {where}", (key.request,)).fetchone()
        return _entry(row) if row else None

    def put(self, entries: Iterable[Entry]) -> None:
        """Write rows, all or none. A row that is "done" stays as it is."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        rows = [_values(entry, now) for entry in entries]
        if not rows:
            return
        with _faults(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._connection.executemany(_PUT, rows)
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def rows(self, describer: str, prompt: str) -> Iterator[Entry]:
        """Every row of a describer and a prompt (by name, any revision), by item id and then by time."""
        where = "WHERE describer = ? AND prompt = ? ORDER BY item_id, created"
        with _faults(self.path):
            yield from map(_entry, self._connection.execute(f"{_SELECT} {where}", (describer, prompt)))

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _entry(row: tuple[Any, ...]) -> Entry:
    return Entry(Key(*row[: len(_KEY_COLUMNS)]), *row[len(_KEY_COLUMNS) :])


def _values(entry: Entry, now: str) -> tuple[object, ...]:
    key = entry.key
    return (
        key.digest, key.request, *(getattr(key, name) for name in _KEY_COLUMNS),
        entry.status, entry.text, entry.error, entry.attempts, entry.seconds, entry.created or now,
    )  # fmt: skip


@contextmanager
def _faults(path: Path) -> Iterator[None]:
    """SQLite's faults in a user's words."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if not isinstance(error, sqlite3.OperationalError):
            hint = (
                "keep a copy, then move the file away (with its -wal and -shm) and run `viral enrich` again; "
                "`sqlite3 FILE .recover` may save what it holds"
            )
            raise DataError(f"the ledger is damaged ({error})", where=str(path), hint=hint) from None
        hint = "is the folder writable, is there space, does another process hold the ledger?"
        raise DataError(f"the ledger cannot be used ({error})", where=str(path), hint=hint) from None
