"""From bytes to pixels: the header is read and checked first, and whatever a decoder stumbles over has a name."""

import io
import re
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from viral.base.file_signatures import HEAD, PAGE, POINTER, kind_of
from viral.data.pictures.errors import MAX_PIXELS, MAX_SCANS, PictureError
from viral.data.pictures.files import read_bytes
from viral.data.pictures.truncated import lacks_end, mended, padded

if TYPE_CHECKING:
    from PIL.Image import Image, Transpose
    from PIL.ImageFile import ImageFile

_FILTERS = threading.Lock()
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # of a JPEG's segment; never within the data of a scan
_END, _SCAN = 0xD9, 0xDA
_MAX_SEGMENTS = 10_000
_MAX_CHUNKS = 20_000  # of a PNG; one of 80 MB in pieces of 8 kB has half as many
# What Pillow's decoders raise on damaged input, beyond OSError.
_DAMAGE = (OSError, ValueError, SyntaxError, IndexError, EOFError, TypeError, KeyError, struct.error, zlib.error)


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


def read_header(data: bytes, path: Path | None = None) -> Header:
    """Format and size of a picture, within the limits; no pixel is decoded. Raises ``PictureError``."""
    picture = _open(data, path)
    return Header(str(picture.format), *picture.size)


def decode(data: bytes, path: Path | None = None, *, shorter_side: int | None = None) -> "Image":
    """Decode to an upright RGB picture (the first frame), transparency laid on white; raises ``PictureError``.

    The size in the header is checked before any pixel is decoded. ``shorter_side`` scales down to that size while
    decoding (JPEG drafts), so that a large photo costs no more than it must. One that lacks its last bytes, but no
    line, is read.
    """
    return _decoded(_with_end(data, path), path, shorter_side)


def _with_end(data: bytes, path: Path | None) -> bytes:
    """A picture with its end, or with one in its place; raises ``PictureError`` where lines are missing."""
    if not lacks_end(data):
        return data
    _open(data, path)  # which refuses what costs too much before anything is decoded
    whole = mended(data, lambda one: _decoded(one, path), PictureError)
    if whole is None:
        raise PictureError("truncated or damaged", path)
    return whole


def _decoded(data: bytes, path: Path | None, shorter_side: int | None = None) -> "Image":
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


def plain_bytes(data: bytes, path: Path | None = None) -> tuple[bytes, str]:
    """The picture as every reader sees it alike, and its media type; raises ``PictureError``.

    The bytes themselves, unless readers would differ: turned by its metadata, CMYK, 16 bits of grey, transparent or
    animated. Such a picture becomes a JPEG of what ``decode`` makes of it. One without an end gets one.
    """
    picture = _open(data, path)
    data = _with_end(data, path)
    alike = picture.mode in ("RGB", "L", "P", "1") and "transparency" not in picture.info
    still = not getattr(picture, "is_animated", False)
    if alike and still and b"eXIf" not in data and _turn(picture) is None:
        return data, f"image/{str(picture.format).lower()}"
    buffer = io.BytesIO()
    decode(data, path).save(buffer, "JPEG", quality=95, subsampling=0)
    return buffer.getvalue(), "image/jpeg"


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
        if _is_costly(data):
            raise PictureError("too costly to decode", path)
    elif data.startswith(b"\x89PNG\r\n\x1a\n"):
        reader = PngImageFile
        if _has_many_chunks(data):
            raise PictureError("too costly to decode", path)
    elif data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        reader = WebPImageFile
    else:
        raise _other_format(data, path)
    try:
        with _quiet():
            warnings.simplefilter("error", DecompressionBombWarning)
            picture = reader(io.BytesIO(padded(data)))
    except (DecompressionBombError, DecompressionBombWarning):
        raise PictureError("too many pixels", path) from None
    except _DAMAGE:
        raise PictureError("truncated or damaged", path) from None
    width, height = picture.size
    if width * height > MAX_PIXELS or not width * height:
        raise PictureError("too many pixels", path, f" ({width} × {height})")
    return picture


def _other_format(data: bytes, path: Path | None) -> PictureError:
    """The fault of what is no picture that is read, by the name of what it is."""
    kind = kind_of(data[:HEAD])
    if kind is POINTER:
        return PictureError("a Git LFS pointer", path)
    if kind is PAGE:
        return PictureError("a web page", path)
    return PictureError("unknown format", path, f" ({kind.name})" if kind is not None else "")


def _is_costly(data: bytes) -> bool:
    """Whether a JPEG has more scans than any that is meant to be seen: a few bytes each make a decoder pass over it."""
    place, scans, segments = 2, 0, 0
    while scans <= MAX_SCANS and segments <= _MAX_SEGMENTS:
        found = _MARKER.search(data, place)
        if found is None or data[found.end() - 1] == _END:
            return False
        scans += data[found.end() - 1] == _SCAN
        segments += 1
        place = found.end() + max(2, int.from_bytes(data[found.end() : found.end() + 2]))
    return True


def _has_many_chunks(data: bytes) -> bool:
    """Whether a PNG has more chunks than any writer makes: empty ones, of which each is read and checked."""
    place, chunks = 8, 0
    while place < len(data) and chunks <= _MAX_CHUNKS:
        place += 12 + int.from_bytes(data[place : place + 4])
        chunks += 1
    return chunks > _MAX_CHUNKS


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
