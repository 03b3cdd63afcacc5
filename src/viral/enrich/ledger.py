"""The ledger of what describers have said: an SQLite file (WAL) in which the same request is never paid for twice.

One row per ``RequestKey``. A batch of rows is one transaction, so that a killed process loses no more than the batches
that were under way. Two processes may use one ledger at a time: a text that is there is never replaced, and what one of
them is asking the other leaves alone (``ledger_claims``).
"""

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from viral.base.errors import DataError
from viral.base.progress import say
from viral.enrich.ledger_rows import (
    COLUMNS,
    DAMAGED,
    MIGRATIONS,
    SCHEMA,
    SUMMED,
    VERSION,
    Entry,
    RequestKey,
    checksum,
    entry_of,
    row_of,
)

T = TypeVar("T")
R = TypeVar("R")

LEDGER_FILE = "ledger.sqlite"
_LOCK_SECONDS = 60.0
LOOKUP = 500  # keys per query
_ROW = f"key, sum, {', '.join(COLUMNS)}"  # what ``entry_of`` reads
_PUT = f"""
INSERT INTO entries (key, request, sum, {", ".join(COLUMNS)}) VALUES ({", ".join("?" * (3 + len(COLUMNS)))})
ON CONFLICT (key) DO UPDATE SET
    status = excluded.status, text = excluded.text, error = excluded.error, seconds = excluded.seconds,
    created = excluded.created, sum = excluded.sum,
    {", ".join(f"{name} = entries.{name} + excluded.{name}" for name in SUMMED)}
WHERE entries.status <> 'done'
"""
_REJUDGE = "UPDATE entries SET status = ?, text = ?, error = ?, attempts = ?, sum = ? WHERE key = ?"
_FORGET = "UPDATE entries SET status = 'failed', text = '', error = ?, attempts = 0, sum = NULL WHERE key = ?"
_QUARANTINE = "UPDATE entries SET status = 'quarantined' WHERE key = ? AND status = 'failed' AND attempts >= ?"


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
            self._connection.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
        if 0 < version < VERSION:
            self._migrate()

    def _migrate(self) -> None:
        """Bring the tables up to ``VERSION``, all or nothing; another process may be doing the same."""
        run = self._connection.execute
        run("BEGIN IMMEDIATE")
        try:
            (version,) = run("PRAGMA user_version").fetchone()
            for step in range(version, VERSION):
                for statement in MIGRATIONS[step]:
                    run(statement)
            run(f"PRAGMA user_version = {VERSION}")
            run("COMMIT")
        except BaseException:
            run("ROLLBACK")
            raise

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

    def find(self, digests: Iterable[bytes]) -> dict[bytes, Entry]:
        """The rows of those keys that have one, by the keys' digests; a damaged text is forgotten, with a word."""
        found = dict(self._select(_ROW, "key IN ({})", digests, entry_of))
        self._forget([digest for digest, entry in found.items() if entry.error == DAMAGED])
        return found

    def _forget(self, damaged: list[bytes]) -> None:
        """Note that those texts are no more: they are asked for again."""
        if damaged:
            say(f"{self.path}: {len(damaged)} descriptions are damaged and are asked for again")
            with self.transaction() as connection:
                connection.executemany(_FORGET, [(DAMAGED, digest) for digest in damaged])

    def same(self, key: RequestKey) -> Entry | None:
        """The first row, of whatever item, in which the request of ``key`` was answered ("done")."""
        where = "WHERE request = ? AND status = 'done' ORDER BY rowid LIMIT 1"
        with _faults(self.path):
            row = self._connection.execute(f"SELECT {_ROW} FROM entries {where}", (key.request,)).fetchone()
        if row is None or (entry := entry_of(row)).error != DAMAGED:
            return row and entry
        self._forget([row[0]])
        return self.same(key)

    def known(self, describer: str, prompt: str, item_ids: Iterable[str]) -> set[str]:
        """Those of the items of which there is any row of this describer and this prompt (by name)."""
        where = "describer = ? AND prompt = ? AND item_id IN ({})"
        return {item for item, _ in self._select("item_id", where, item_ids, len, (describer, prompt))}

    def _select(
        self,
        columns: str,
        where: str,
        values: Iterable[T],
        make: Callable[[tuple[Any, ...]], R],
        given: tuple[Any, ...] = (),
    ) -> Iterator[tuple[Any, R]]:
        """First column and ``make`` of each row that a query by many values finds; ``{}`` in it takes the values."""
        remaining = iter(values)
        with _faults(self.path):
            while chunk := tuple(islice(remaining, LOOKUP)):
                query = f"SELECT {columns} FROM entries WHERE {where.format(', '.join('?' * len(chunk)))}"
                for row in self._connection.execute(query, (*given, *chunk)):
                    yield row[0], make(row)

    def put(self, entries: Iterable[Entry], *, quarantine_after: int | None = None) -> None:
        """Write rows, all or none. A row that is "done" stays as it is.

        A row that is "failed" for the time that ``quarantine_after`` says becomes "quarantined".
        """
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        rows, failed = [], []
        for entry in entries:
            rows.append(row_of(entry, now))
            if entry.status == "failed" and quarantine_after is not None:
                failed.append((entry.key.digest, quarantine_after))
        if not rows:
            return
        with self.transaction() as connection:
            connection.executemany(_PUT, rows)
            connection.executemany(_QUARANTINE, failed)
            connection.executemany("DELETE FROM claims WHERE request = ?", [(row[1],) for row in rows])

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All that the block writes, or nothing."""
        with _faults(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def drop(self, digests: Iterable[bytes]) -> None:
        """Forget rows in which nothing was described."""
        with _faults(self.path):
            query = "DELETE FROM entries WHERE key = ? AND status <> 'done'"
            for digest in digests:
                self._connection.execute(query, (digest,))

    def rejudge(self, again: Callable[[Entry], Entry | None]) -> None:
        """Give every row that is "done" to ``again``, and keep status, text and error of what it returns; all or none.

        A row that had been tried is "failed" anew with one attempt on record, so that it is asked for again.
        """
        with self.transaction() as connection:
            done = connection.execute(f"SELECT {_ROW} FROM entries WHERE status = 'done'")
            judged = ((row[0], again(entry_of(row))) for row in done)
            changed = [
                (e.status, e.text, e.error, min(e.attempts, 1), checksum(e), key) for key, e in judged if e is not None
            ]
            connection.executemany(_REJUDGE, changed)

    def rows(self, describer: str, prompt: str) -> Iterator[Entry]:
        """Every row of a describer and a prompt (by name, any revision), by item id and then by time."""
        where = "WHERE describer = ? AND prompt = ? ORDER BY item_id, created"
        with _faults(self.path):
            yield from map(
                entry_of, self._connection.execute(f"SELECT {_ROW} FROM entries {where}", (describer, prompt))
            )

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


@contextmanager
def _faults(path: Path) -> Iterator[None]:
    """SQLite's faults in a user's words."""
    try:
        yield
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        if not isinstance(error, sqlite3.OperationalError):
            hint = (
                "keep a copy, then move the file away (with its -wal and -shm) and run `viral enrich` again; "
                "`sqlite3 FILE .recover` may save what it holds"
            )
            raise DataError(f"the ledger is damaged ({error})", where=str(path), hint=hint) from None
        hint = "is the folder writable, is there space, does another process hold the ledger?"
        raise DataError(f"the ledger cannot be used ({error})", where=str(path), hint=hint) from None
