"""Files that are either whole or absent: write to a temporary name, fsync, rename. And their fingerprints.

A temporary name is ``.NAME.OWNER.xxxxxxxx``: whoever writes beside it next knows what a killed process left behind, and
removes it (:func:`remove_abandoned`).
"""

import ctypes
import errno
import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from viral.base.errors import DataError, UsageError
from viral.base.locks import may_live, this_process

MANY_FILES = 256
_FULL = ("No space left", "database or disk is full")  # what libraries say: of the system's own words, and SQLite
_LONGEST = 80  # bytes of a name that are in the temporary one: names have at most 255
_TEMPORARY = re.compile(r"\..*\.(?P<owner>[^.~]+~[0-9]+~[0-9]*)\.[A-Za-z0-9_]+(?:\.[^.]*)?", re.DOTALL)


def sync_folder(folder: Path) -> None:
    """Make a rename inside ``folder`` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    """Flush a written file to the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; rename it onto ``path`` when the block ends without an error.

    Raises ``DataError`` where the disk is full.
    """
    with full_disk_told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=temporary_prefix(path), suffix=path.suffix[:20], dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        temporary.chmod(0o644)
        try:
            yield temporary
            sync_file(temporary)
            temporary.replace(path)
            sync_folder(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def staged_folder(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Yield a temporary folder that becomes ``path`` when the block ends without an error.

    Raises ``UsageError`` where ``path`` already holds something and ``overwrite`` is not set, ``DataError`` where the
    disk is full.
    """
    if path.exists() and not overwrite and (path.is_file() or any(path.iterdir())):
        raise UsageError("already exists", where=str(path), hint="choose another folder, or pass --overwrite")
    with full_disk_told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=temporary_prefix(path), dir=path.parent))
        staging.chmod(0o755)
        try:
            yield staging
            _sync_all(staging)
            _swap(staging, path)
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def temporary_prefix(path: Path) -> str:
    """How temporary names beside ``path`` begin; what others of before left there is removed."""
    _tidied(path.parent)
    name = os.fsdecode(os.fsencode(path.name)[:_LONGEST].decode("utf-8", "ignore").encode())
    return f".{name}.{this_process().replace('/', '~')}."


@cache
def _tidied(folder: Path) -> None:
    """Remove what was abandoned in ``folder``, once a process: it may have a million files."""
    remove_abandoned(folder)


def remove_abandoned(folder: Path) -> list[Path]:
    """Remove the files and folders that processes which are gone were writing into ``folder``; returns their paths."""
    gone = [path for path in folder.iterdir() if _is_abandoned(path.name)] if folder.is_dir() else []
    for path in gone:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return gone


def _is_abandoned(name: str) -> bool:
    found = _TEMPORARY.fullmatch(name)
    return found is not None and not may_live(found["owner"].replace("~", "/"))


@contextmanager
def full_disk_told(path: Path) -> Iterator[None]:
    """Whatever a library makes of a full disk becomes our error, which tells where, and what is free."""
    try:
        yield
    except Exception as error:
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        if isinstance(error, DataError) or not (full or any(words in str(error) for words in _FULL)):
            raise
        raise _no_space(path, "") from error


def require_space(path: Path, needed: int) -> None:
    """Raise ``DataError`` where fewer than ``needed`` bytes are free for ``path``: before hours of work, not after."""
    if _free(path) < needed:
        raise _no_space(path, f", and about {needed / 1e6:,.0f} MB are needed")


def _free(path: Path) -> int:
    there = next(one for one in (*path.absolute().parents, Path("/")) if one.exists())
    return shutil.disk_usage(there).free


def _no_space(path: Path, needed: str) -> DataError:
    hint = "make room, or choose a place on another disk; the same command goes on where it was"
    return DataError(f"no space left: {_free(path) / 1e6:,.0f} MB are free{needed}", where=str(path), hint=hint)


def _sync_all(folder: Path) -> None:
    """Flush every file below ``folder``; beyond a few hundred, one flush of everything is far cheaper."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    if len(files) > MANY_FILES:
        os.sync()
        return
    for file in files:
        sync_file(file)


def _swap(staging: Path, path: Path) -> None:
    """Put ``staging`` in the place of ``path``; the old content goes only after the new one is there.

    In one step where the system can exchange two folders, so that whoever reads by name finds either the old or the
    new; elsewhere there is a moment without either.
    """
    if path.exists() and _exchange(staging, path):
        sync_folder(path.parent)
        return
    old = None
    if path.exists():
        old = Path(tempfile.mkdtemp(prefix=temporary_prefix(path), dir=path.parent)) / "content"
        path.rename(old)
    staging.rename(path)
    sync_folder(path.parent)
    if old is not None:
        shutil.rmtree(old.parent, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two paths atomically (Linux: renameat2 with RENAME_EXCHANGE); False where that cannot be done."""
    swap = getattr(ctypes.CDLL(None), "renameat2", None) if sys.platform == "linux" else None
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    return swap is not None and swap(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0


def replace_folder(new: Path, path: Path) -> None:
    """Put the finished folder ``new`` in the place of ``path``, whose old content goes after it is there."""
    _sync_all(new)
    _swap(new, path)
    shutil.rmtree(new, ignore_errors=True)


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented UTF-8 JSON, atomically."""
    with atomic_write(path) as temporary:
        text = json.dumps(value, indent=2, ensure_ascii=False, sort_keys=False) + "\n"
        # Half a character, which JSON may name and UTF-8 has not, is written as JSON names it.
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def read_json(path: Path) -> Any:
    """Read JSON; raises ``DataError`` naming the file where it is absent or broken."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError("no such file", where=str(path)) from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"not valid JSON ({error})", where=str(path)) from None


SEAL, SEALED = "seal", "sealed"  # the checksum, and that there is one: a single flipped bit loses but one of them


def write_sealed(path: Path, values: Mapping[str, Any]) -> None:
    """Write a JSON object with a checksum of itself, atomically."""
    sealed = {**values, SEALED: True}
    write_json(path, {**sealed, SEAL: _seal(sealed)})


def read_sealed(path: Path, *, hint: str) -> dict[str, Any]:
    """Read what :func:`write_sealed` wrote; raises ``DataError`` with ``hint`` where it is no object or was changed.

    An object of before there were seals is read as it is.
    """
    values = read_json(path)
    if not isinstance(values, dict):
        raise DataError("not a JSON object", where=str(path), hint=hint)
    if (SEAL in values or SEALED in values) and values.pop(SEAL, "") != _seal(values):
        raise DataError("damaged, or changed since it was written: its checksum differs", where=str(path), hint=hint)
    values.pop(SEALED, None)
    return values


def _seal(values: Mapping[str, Any]) -> str:
    return fingerprint(json.loads(json.dumps(values)))


def sha256_file(path: Path) -> str:
    """Hex SHA-256 of a file's bytes, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint(*parts: Any) -> str:
    """Hex SHA-256 of JSON-able ``parts``; the key under which a hop's result is cached."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
