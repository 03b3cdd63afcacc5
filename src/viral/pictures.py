"""Pictures are untrusted: checked by header before they are decoded, bounded in bytes and pixels, three formats."""

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from viral.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_BYTES = 20_000_000
MAX_PIXELS = 25_000_000
FORMATS = ("JPEG", "PNG", "WEBP")
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")

PictureStatus = Literal[
    "missing", "empty", "too many bytes", "unknown format", "too many pixels", "truncated or damaged"
]


class PictureError(DataError):
    """A picture that cannot be used; ``status`` is a short fixed phrase that is counted."""

    def __init__(self, status: PictureStatus, path: Path | None, detail: str = "") -> None:
        hint = {
            "missing": "put the file there, or leave the item's image empty",
            "empty": "the file has no bytes; fetch it again",
            "too many bytes": f"the limit is {MAX_BYTES:,} bytes; scale the picture down",
            "unknown format": f"use {', '.join(FORMATS)}",
            "too many pixels": f"the limit is {MAX_PIXELS:,} pixels; scale the picture down",
            "truncated or damaged": "the file ends early or is damaged; fetch it again",
        }[status]
        super().__init__(f"picture is {status}{detail}", where=str(path or ""), hint=hint)
        self.status: PictureStatus = status


def read_bytes(path: Path) -> bytes:
    """The bytes of a picture file, if there are no more than ``MAX_BYTES``; raises ``PictureError``."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError:
        raise PictureError("missing", path) from None
    if not data:
        raise PictureError("empty", path)
    if len(data) > MAX_BYTES:
        raise PictureError("too many bytes", path)
    return data


def decode(data: bytes, path: Path | None = None, *, shorter_side: int | None = None) -> "Image":
    """Decode to an upright RGB picture (the first frame), transparency laid on white; raises ``PictureError``.

    The size in the header is checked before any pixel is decoded. ``shorter_side`` scales down to that size while
    decoding (JPEG drafts), so that a large photo costs no more than it must.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            picture: Image.Image = Image.open(io.BytesIO(data), formats=FORMATS)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise PictureError("too many pixels", path) from None
        except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
            raise PictureError("unknown format", path) from None
        width, height = picture.size
        if width * height > MAX_PIXELS or not width * height:
            raise PictureError("too many pixels", path, f" ({width} × {height})")
        try:
            if shorter_side and min(width, height) > shorter_side:
                factor = shorter_side / min(width, height)
                size = (max(1, round(width * factor)), max(1, round(height * factor)))
                picture.draft("RGB", size)
                picture = _on_white(ImageOps.exif_transpose(picture))
                return picture.resize(_fit(picture.size, shorter_side), Image.Resampling.BILINEAR)
            return _on_white(ImageOps.exif_transpose(picture))
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise PictureError("too many pixels", path) from None
        except (OSError, ValueError, SyntaxError, IndexError, EOFError, TypeError):
            raise PictureError("truncated or damaged", path) from None


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
