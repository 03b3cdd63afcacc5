"""Files as they lie on the disk or compressed (gzip, Zstandard), told apart by their first bytes, unpacked bounded."""

import io
import shutil
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

from viral.base.errors import DataError
from viral.base.file_signatures import EXCEL, GZIP, HEAD, OLD_EXCEL, PARQUET, ZIP, FileKind, other_kind
from viral.base.file_signatures import kind_of as signature_of
from viral.base.progress import say

SUFFIXES = (".gz", ".zst")
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_PIECE = 256 * 1024
_FREE = 2**30  # so much may come out of any file
_RATIO = 200  # beyond that, no more than this times what went in: a table of text has a tenth of it
_OWN: Mapping[str, tuple[FileKind, ...]] = {
    ".parquet": (PARQUET,),
    **dict.fromkeys((".xlsx", ".xlsm", ".xls", ".ods"), (EXCEL, ZIP, OLD_EXCEL)),
}


def kind_of(path: Path) -> str:
    """The suffix that tells the format, in lower case: that before ``.gz`` or ``.zst``."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if len(suffixes) > 1 and suffixes[-1] in SUFFIXES:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


@contextmanager
def open_bytes(path: Path) -> Iterator[BinaryIO]:
    """The file's content, unpacked where it is compressed.

    Bytes after the end of a gzip stream are passed over and told, as gunzip does. Reading raises ``DataError`` where
    the compression is damaged or cut off, or far more comes out of it than any table holds.
    """
    with path.open("rb") as file:
        start = file.read(4)
        file.seek(0)
        if start.startswith(_GZIP):
            yield io.BufferedReader(_Pieces(path, _gunzip(path, file)), _PIECE)
        elif start == _ZSTD:
            yield io.BufferedReader(_Pieces(path, _unzstd(file)), _PIECE)
        else:
            yield file


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """A path that holds the content of ``path`` unpacked: itself, or a temporary file beside the system's others."""
    with path.open("rb") as file:
        start = file.read(4)
    if not start.startswith(_GZIP) and start != _ZSTD:
        yield path
        return
    with tempfile.TemporaryDirectory() as folder, open_bytes(path) as content:
        target = Path(folder) / f"table{kind_of(path)}"
        with target.open("wb") as out:
            shutil.copyfileobj(content, out, _PIECE)
        yield target


class _Pieces(io.RawIOBase):
    """What an iterator of bytes yields, as a file that counts it."""

    def __init__(self, path: Path, pieces: Iterator[bytes]) -> None:
        self._path, self._pieces, self._left, self._total = path, pieces, b"", 0
        self._most = max(_FREE, _RATIO * path.stat().st_size)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            piece = self._next()
            if piece is None:
                return 0
            self._left = piece
        size = min(len(buffer), len(self._left))
        buffer[:size] = self._left[:size]
        self._left = self._left[size:]
        return size

    def _next(self) -> bytes | None:
        try:
            piece = next(self._pieces, None)
        except (OSError, EOFError, ValueError, zlib.error) as error:
            hint = "fetch or write the file again"
            raise DataError(f"cannot be unpacked to its end ({error})", where=str(self._path), hint=hint) from None
        self._total += len(piece or b"")
        if self._total > self._most:
            what = f"more than {self._most / 2**30:,.0f} GiB come out of {self._path.stat().st_size:,} bytes"
            hint = "if that is right, unpack the file yourself and give that"
            raise DataError(what, where=str(self._path), hint=hint)
        return piece


def _gunzip(path: Path, file: BinaryIO) -> Iterator[bytes]:
    """The content of all the streams of a gzip file, one after another."""
    data = file.read(_PIECE)
    while data.startswith(_GZIP):
        stream = zlib.decompressobj(31)
        while not stream.eof:
            if not data:
                raise EOFError("the file is cut off")
            yield stream.decompress(data, _PIECE)
            data = stream.unconsumed_tail or (b"" if stream.eof else file.read(_PIECE))
        data = stream.unused_data
        data += file.read(_PIECE) if len(data) < _PIECE else b""
    if data.strip(b"\0"):
        _warn(path)


@cache
def _warn(path: Path) -> None:
    """Once for a file, which is opened several times."""
    say(f"{path.name}: bytes after the end of the gzip stream are passed over")


def _unzstd(file: BinaryIO) -> Iterator[bytes]:
    import pyarrow as pa

    stream = pa.CompressedInputStream(pa.PythonFile(file, mode="r"), "zstd")
    while piece := stream.read(_PIECE):
        yield piece


def refuse_foreign(path: Path, wanted: str = "a table", *, text: bool = False) -> None:
    """Raise ``DataError`` where the content of a file, unpacked, has the mark of another kind than its suffix names.

    ``text``: nothing with a mark is wanted, whatever the suffix.
    """
    if not path.is_file():
        raise DataError("no such file", where=str(path), hint="check the name")
    with open_bytes(path) as file:
        kind = signature_of(file.read(HEAD))
    if kind is GZIP:
        raise DataError("this is gzipped twice", where=str(path), hint=f"unpack it once: gunzip {path.name}")
    if kind is not None and (text or kind not in _OWN.get(kind_of(path), ())):
        raise other_kind(path, kind, wanted)
