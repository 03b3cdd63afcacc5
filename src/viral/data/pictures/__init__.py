"""Pictures are untrusted: checked by header before they are decoded, bounded in bytes and pixels, three formats."""

from viral.data.pictures.decoding import Header, decode, open_picture, plain_bytes, read_header
from viral.data.pictures.errors import FORMATS, MAX_BYTES, MAX_PIXELS, MAX_SCANS, SUFFIXES, PictureError, PictureStatus
from viral.data.pictures.files import locate, read_bytes

__all__ = [
    "FORMATS",
    "MAX_BYTES",
    "MAX_PIXELS",
    "MAX_SCANS",
    "SUFFIXES",
    "Header",
    "PictureError",
    "PictureStatus",
    "decode",
    "locate",
    "open_picture",
    "plain_bytes",
    "read_bytes",
    "read_header",
]
