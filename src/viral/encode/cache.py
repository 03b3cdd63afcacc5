"""A cache of text vectors on disk: what was encoded once is not encoded again, and a stopped run goes on."""

import hashlib
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from viral.encode.base import Encoder
from viral.encode.table import FloatArray
from viral.errors import DataError
from viral.progress import say, stage

CHUNK = 64  # texts encoded between two writes: what a stopped run loses
_TABLE = "CREATE TABLE IF NOT EXISTS vectors (digest BLOB PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID"


def encode_cached(encoder: Encoder, texts: Sequence[str], path: Path, label: str) -> FloatArray:
    """``encoder.encode(texts)``, (n, F), asking only for distinct texts that the SQLite file ``path`` does not hold.

    A damaged file is made anew, with a word about it; ``DataError`` where it cannot be written. ``label`` names the
    progress bar.
    """
    digests = [_digest(encoder, text) for text in texts]
    distinct = dict(zip(digests, texts, strict=True))
    try:
        vectors = _vectors(encoder, distinct, path, label)
    except sqlite3.OperationalError as error:
        hint = "is the folder writable, is there space, does another process use it?"
        raise DataError(f"the cache cannot be used ({error})", where=str(path), hint=hint) from None
    except sqlite3.DatabaseError as error:
        say(f"{path}: the cache is damaged ({error}) and is made anew")
        path.unlink()
        vectors = _vectors(encoder, distinct, path, label)
    return np.stack([vectors[digest] for digest in digests]) if digests else encoder.encode([])


def _vectors(encoder: Encoder, distinct: Mapping[bytes, str], path: Path, label: str) -> dict[bytes, FloatArray]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, timeout=60)) as connection:
        connection.execute(_TABLE)
        query = "SELECT vector FROM vectors WHERE digest = ?"
        rows = ((digest, connection.execute(query, (digest,)).fetchone()) for digest in distinct)
        vectors: dict[bytes, FloatArray] = {digest: np.frombuffer(row[0], dtype="<f4") for digest, row in rows if row}
        # By length, so that a chunk pads little.
        missing = sorted(distinct.keys() - vectors.keys(), key=lambda digest: (len(distinct[digest]), digest))
        with stage(label, len(missing)) as advance:
            for start in range(0, len(missing), CHUNK):
                chunk = missing[start : start + CHUNK]
                new = dict(zip(chunk, encoder.encode([distinct[digest] for digest in chunk]), strict=True))
                with connection:
                    values = [(digest, vector.astype("<f4").tobytes()) for digest, vector in new.items()]
                    connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", values)
                vectors |= new
                advance(len(chunk))
    return vectors


def _digest(encoder: Encoder, text: str) -> bytes:
    return hashlib.sha256(f"{encoder.name}\0{text}".encode()).digest()
