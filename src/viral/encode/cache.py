"""A cache of vectors on disk: what was encoded once is not encoded again, and a stopped run goes on."""

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import numpy as np

from viral.base.errors import DataError
from viral.base.progress import say, stage
from viral.data.features import FloatArray
from viral.encode.encoders import Encoder

T = TypeVar("T")
CHUNK = 64  # texts encoded between two writes: what a stopped run loses
SUM = 8  # bytes of a vector's checksum, kept behind it
_TABLE = "CREATE TABLE IF NOT EXISTS vectors (digest BLOB PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID"
_VERSION = 1  # of what a row holds, kept in PRAGMA user_version: 0 had no checksum


def encode_cached(encoder: Encoder, texts: Sequence[str], path: Path, label: str) -> FloatArray:
    """``encoder.encode(texts)``, (n, F), asking only for distinct texts that the SQLite file ``path`` does not hold.

    A damaged file is made anew, with a word about it; ``DataError`` where it cannot be written. ``label`` names the
    progress bar.
    """
    digests = [_digest(encoder, text) for text in texts]
    distinct = dict(zip(digests, texts, strict=True))
    vectors = _unless_damaged(path, lambda: _vectors(encoder, distinct, path, label))
    return np.stack([vectors[digest] for digest in digests]) if digests else encoder.encode([])


def read_vectors(path: Path, keys: Sequence[str]) -> dict[str, FloatArray]:
    """The vectors that the SQLite file ``path`` holds under those keys; faults as :func:`encode_cached`."""
    digests = {hashlib.sha256(key.encode()).digest(): key for key in keys}

    def read() -> dict[str, FloatArray]:
        with closing(_open(path)) as connection:
            return {digests[digest]: vector for digest, vector in _stored(connection, digests).items()}

    return _unless_damaged(path, read)


def write_vectors(path: Path, vectors: Mapping[str, FloatArray]) -> None:
    """Keep vectors under their keys, all or none; faults as :func:`encode_cached`."""
    named = {hashlib.sha256(key.encode()).digest(): vector for key, vector in vectors.items()}

    def write() -> None:
        with closing(_open(path)) as connection:
            _keep(connection, named)

    _unless_damaged(path, write)


def _unless_damaged(path: Path, work: Callable[[], T]) -> T:
    try:
        return work()
    except sqlite3.OperationalError as error:
        hint = "is the folder writable, is there space, does another process use it?"
        raise DataError(f"the cache cannot be used ({error})", where=str(path), hint=hint) from None
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        say(f"{path}: the cache is damaged ({error}) and is made anew")
        path.unlink()
        return work()


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=60)
    try:
        connection.execute(_TABLE)
        _mend_older(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _mend_older(connection: sqlite3.Connection) -> None:
    """Add checksums to the vectors of a file of before there were any."""
    if connection.execute("PRAGMA user_version").fetchone()[0] >= _VERSION:
        return
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        if connection.execute("PRAGMA user_version").fetchone()[0] < _VERSION:  # no other process did meanwhile
            rows = connection.execute("SELECT digest, vector FROM vectors").fetchall()
            summed = ((vector + _sum(digest, vector), digest) for digest, vector in rows)
            connection.executemany("UPDATE vectors SET vector = ? WHERE digest = ?", summed)
            connection.execute(f"PRAGMA user_version = {_VERSION}")


def _stored(connection: sqlite3.Connection, digests: Iterable[bytes]) -> dict[bytes, FloatArray]:
    """The vectors that are there and whole; a damaged one is as good as none, with a word about it."""
    query = "SELECT vector FROM vectors WHERE digest = ?"
    rows = ((digest, connection.execute(query, (digest,)).fetchone()) for digest in digests)
    found = {digest: row[0] for digest, row in rows if row}
    damaged = [digest for digest, kept in found.items() if kept[-SUM:] != _sum(digest, kept[:-SUM])]
    if damaged:
        say(f"{len(damaged)} vectors in the cache are damaged and are made anew")
    return {digest: np.frombuffer(found[digest][:-SUM], dtype="<f4") for digest in found.keys() - set(damaged)}


def _sum(digest: bytes, vector: bytes) -> bytes:
    return hashlib.sha256(digest + vector).digest()[:SUM]


def _keep(connection: sqlite3.Connection, vectors: Mapping[bytes, FloatArray]) -> None:
    kept = [(digest, vector.astype("<f4").tobytes()) for digest, vector in vectors.items()]
    values = [(digest, vector + _sum(digest, vector)) for digest, vector in kept]
    with connection:
        connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", values)


def _vectors(encoder: Encoder, distinct: Mapping[bytes, str], path: Path, label: str) -> dict[bytes, FloatArray]:
    with closing(_open(path)) as connection:
        vectors = _stored(connection, distinct)
        # By length, so that a chunk pads little.
        missing = sorted(distinct.keys() - vectors.keys(), key=lambda digest: (len(distinct[digest]), digest))
        with stage(label, len(missing)) as advance:
            for start in range(0, len(missing), CHUNK):
                chunk = missing[start : start + CHUNK]
                new = dict(zip(chunk, encoder.encode([distinct[digest] for digest in chunk]), strict=True))
                _keep(connection, new)
                vectors |= new
                advance(len(chunk))
    return vectors


def _digest(encoder: Encoder, text: str) -> bytes:
    return hashlib.sha256(f"{encoder.name}\0{text}".encode()).digest()
