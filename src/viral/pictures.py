"""Pictures are untrusted: checked by header before they are decoded, bounded in bytes and pixels, three formats."""

import errno
import io
import os
import stat
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from viral.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image, Transpose
    from PIL.ImageFile import ImageFile

MAX_BYTES = 20_000_000
MAX_PIXELS = 25_000_000
FORMATS = ("JPEG", "PNG", "WEBP")
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")

PictureStatus = Literal[
    "missing",
    "not a file",
    "symbolic link",
    "outside the folder",
    "empty",
    "too many bytes",
    "unknown format",
    "too many pixels",
    "truncated or damaged",
    "at a forbidden address",
    "behind a dead link",
    "behind a faulty server",
    "too slow",
    "redirected too often",
]
_FILTERS = threading.Lock()
# What Pillow's decoders raise on damaged input, beyond OSError.
_DAMAGE = (OSError, ValueError, SyntaxError, IndexError, EOFError, TypeError, KeyError, struct.error, zlib.error)


class PictureError(DataError):
    """A picture that cannot be used; ``status`` is a short fixed phrase that is counted."""

    def __init__(self, status: PictureStatus, path: Path | None, detail: str = "") -> None:
        hint = {
            "missing": "put the file there, or leave the item's image empty",
            "not a file": "folders, pipes and devices are not read; put a picture file there",
            "symbolic link": "links are not followed; put the file itself there",
            "outside the folder": "use a path relative to the picture folder, without '..'",
            "empty": "the file has no bytes; fetch it again",
            "too many bytes": f"the limit is {MAX_BYTES:,} bytes; scale the picture down",
            "unknown format": f"use {', '.join(FORMATS)}",
            "too many pixels": f"the limit is {MAX_PIXELS:,} pixels; scale the picture down",
            "truncated or damaged": "the file ends early or is damaged; fetch it again",
            "at a forbidden address": "pictures come by http(s) from public addresses; see docs/fetching.md",
            "behind a dead link": "correct the item's image_url, or leave it empty",
            "behind a faulty server": "this may pass: run the same command again",
            "too slow": "this may pass: run the same command again, or put the file itself there",
            "redirected too often": "give the address at which the picture is",
        }[status]
        super().__init__(f"picture is {status}{detail}", where=str(path or ""), hint=hint)
        self.status: PictureStatus = status


@dataclass(frozen=True, slots=True)
class Header:
    """What a picture says of itself before it is decoded."""

    format: str  # one of FORMATS, by content; the file's name plays no part
    width: int
    height: int

    @property
    def suffix(self) -> str:
        """The suffix that fits the format."""
        return {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp"}[self.format]


def read_bytes(path: Path) -> bytes:
    """The bytes of a regular file, not a link, of no more than ``MAX_BYTES``; raises ``PictureError``."""
    # Neither a link nor a pipe may be opened by name and checked afterwards: it could be swapped, or block for ever.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
    except (OSError, ValueError) as error:
        linked = getattr(error, "errno", None) == errno.ELOOP
        raise PictureError("symbolic link" if linked else "missing", path) from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise PictureError("not a file", path)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            data = file.read(MAX_BYTES + 1)
    finally:
        os.close(descriptor)
    if not data:
        raise PictureError("empty", path)
    if len(data) > MAX_BYTES:
        raise PictureError("too many bytes", path)
    return data


def locate(folder: Path, name: str) -> Path:
    """``folder / name``, if that neither leaves ``folder`` nor goes through a link below it; else ``PictureError``."""
    if "\0" in name or Path(name).is_absolute() or ".." in Path(name).parts:
        raise PictureError("outside the folder", None, f" ({name!r})")
    path = folder.resolve() / name
    if path.resolve() != path:
        raise PictureError("symbolic link", path)
    return path


def read_header(data: bytes, path: Path | None = None) -> Header:
    """Format and size of a picture, within the limits; no pixel is decoded. Raises ``PictureError``."""
    picture = _open(data, path)
    return Header(str(picture.format), *picture.size)


def decode(data: bytes, path: Path | None = None, *, shorter_side: int | None = None) -> "Image":
    """Decode to an upright RGB picture (the first frame), transparency laid on white; raises ``PictureError``.

    The size in the header is checked before any pixel is decoded. ``shorter_side`` scales down to that size while
    decoding (JPEG drafts), so that a large photo costs no more than it must.
    """
    from PIL.Image import Resampling

    opened = _open(data, path)
    size = opened.size if shorter_side is None else _fit(opened.size, shorter_side)
    smaller = size != opened.size
    try:
        if smaller:
            opened.draft("RGB", size)
        opened.load()
        turn = _turn(opened)
        picture = _on_white(opened)
    except _DAMAGE:
        raise PictureError("truncated or damaged", path) from None
    if smaller:
        picture = picture.resize(size, Resampling.BILINEAR)
    return picture if turn is None else picture.transpose(turn)


def _open(data: bytes, path: Path | None) -> "ImageFile":
    """Read the header and check the size.

    The three readers are called by name and not through ``Image.open``: that warns of large pictures, where these are
    refused, and takes a phone's JPEG with a second picture in it for another format.
    """
    from PIL.Image import DecompressionBombError, DecompressionBombWarning
    from PIL.JpegImagePlugin import JpegImageFile
    from PIL.PngImagePlugin import PngImageFile
    from PIL.WebPImagePlugin import WebPImageFile

    if data.startswith(b"\xff\xd8\xff"):
        reader: type[ImageFile] = JpegImageFile
    elif data.startswith(b"\x89PNG\r\n\x1a\n"):
        reader = PngImageFile
    elif data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        reader = WebPImageFile
    else:
        raise PictureError("unknown format", path)
    try:
        with _quiet():
            warnings.simplefilter("error", DecompressionBombWarning)
            picture = reader(io.BytesIO(data))
    except (DecompressionBombError, DecompressionBombWarning):
        raise PictureError("too many pixels", path) from None
    except _DAMAGE:
        raise PictureError("truncated or damaged", path) from None
    width, height = picture.size
    if width * height > MAX_PIXELS or not width * height:
        raise PictureError("too many pixels", path, f" ({width} × {height})")
    return picture


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep warnings of damaged metadata to ourselves; under a lock, as the filters belong to the whole process."""
    with _FILTERS, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def _turn(picture: "Image") -> "Transpose | None":
    """What makes a decoded picture upright, as its EXIF orientation says."""
    from PIL.Image import Transpose

    try:
        with _quiet():
            orientation = picture.getexif().get(0x0112)
    except _DAMAGE:  # of the metadata only: the pixels are there
        return None
    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    return turns.get(orientation) if isinstance(orientation, int) else None


def open_picture(path: Path, *, shorter_side: int | None = None) -> "Image":
    """Read and decode a picture file; raises ``PictureError``."""
    return decode(read_bytes(path), path, shorter_side=shorter_side)


def _fit(size: tuple[int, int], shorter_side: int) -> tuple[int, int]:
    factor = min(1.0, shorter_side / min(size))
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def _on_white(picture: "Image") -> "Image":
    """RGB without transparency; 16-bit grey is scaled rather than clipped."""
    from PIL import Image

    if picture.mode.startswith("I;16") or picture.mode in ("I", "F"):
        picture = picture.point(lambda value: value / 256).convert("L") if picture.mode != "F" else picture.convert("L")
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        white = Image.new("RGBA", layer.size, (255, 255, 255, 255))
        picture = Image.alpha_composite(white, layer)
    return picture.convert("RGB")
