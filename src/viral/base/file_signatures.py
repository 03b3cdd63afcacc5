"""What a file is by its first bytes, whatever its name says: a Git LFS pointer, a web page, an archive."""

import re
from dataclasses import dataclass
from pathlib import Path

from viral.base.errors import DataError

HEAD = 1024  # bytes, which tell
_PAGE = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html|head|body|script|\?xml|error)\b", re.IGNORECASE)
_ANSWER = re.compile(rb"<(error|html)\b", re.IGNORECASE)  # an XML that a server answers with
_SVG = re.compile(rb"<svg\b", re.IGNORECASE)
_POINTER = b"version https://git-lfs.github.com/spec/"


@dataclass(frozen=True, slots=True)
class FileKind:
    """A kind of file, with an article, and how to come by what was meant."""

    name: str
    hint: str = ""


POINTER = FileKind("a Git LFS pointer", "the repository was cloned without its large files: run `git lfs pull` in it")
PAGE = FileKind("a web page", "a server answered with a page (a login, an error) instead of the file: fetch it again")
XML = FileKind("an XML file", "export it as CSV, JSON lines or Parquet")
GZIP = FileKind("a gzip archive", "unpack it: gunzip FILE")
EXCEL = FileKind("an Excel workbook", "the layout 'table' reads it by its suffix .xlsx; or save the sheet as CSV")
OLD_EXCEL = FileKind(
    "an old Excel workbook", "the layout 'table' reads it by its suffix .xls; or save the sheet as CSV"
)
PARQUET = FileKind("a Parquet file", "the layout 'table' reads it by its suffix .parquet")
NUMPY = FileKind("a NumPy array", "features come in with --features NAME=FILE of the layout mmrec")
PICKLE = FileKind("a pickle", "pickles can run code and are never read: save it as CSV, Parquet or .npy")
ZIP = FileKind("a zip archive", "unzip it, and give the folder or the file in it")
_UNPACK = "unpack it, and give the folder or the file in it"
_TABLE = "save it as CSV, JSON lines or Parquet"
_PICTURE = "save it as JPEG, PNG or WebP"
_MAGIC: tuple[tuple[bytes, FileKind], ...] = (
    (_POINTER, POINTER),
    (b"\x1f\x8b", GZIP),
    (b"PAR1", PARQUET),
    (b"\x93NUMPY", NUMPY),
    (b"\x89HDF\r\n\x1a\n", FileKind("an HDF5 file", _TABLE)),
    (b"SQLite format 3\0", FileKind("an SQLite database", "export its tables as CSV")),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLD_EXCEL),
    (b"BZh", FileKind("a bzip2 archive", _UNPACK)),
    (b"\xfd7zXZ\0", FileKind("an xz archive", _UNPACK)),
    (b"\x28\xb5\x2f\xfd", FileKind("a zstandard archive", _UNPACK)),
    (b"7z\xbc\xaf\x27\x1c", FileKind("a 7z archive", _UNPACK)),
    (b"Rar!\x1a\x07", FileKind("a rar archive", _UNPACK)),
    (b"%PDF-", FileKind("a PDF document", _TABLE)),
    (b"\xff\xd8\xff", FileKind("a JPEG picture")),
    (b"\x89PNG\r\n\x1a\n", FileKind("a PNG picture")),
    (b"GIF8", FileKind("a GIF picture", _PICTURE)),
    (b"II*\0", FileKind("a TIFF picture", _PICTURE)),
    (b"MM\0*", FileKind("a TIFF picture", _PICTURE)),
    (b"8BPS", FileKind("a Photoshop picture", _PICTURE)),
    (b"\xff\x0a", FileKind("a JPEG XL picture", _PICTURE)),
    (b"\0\0\0\x0cJXL ", FileKind("a JPEG XL picture", _PICTURE)),
    (b"\x1aE\xdf\xa3", FileKind("a WebM or Matroska film", "films are not read: save a frame as JPEG")),
)
_BRANDS = {
    b"avif": FileKind("an AVIF picture", _PICTURE),
    b"avis": FileKind("an AVIF picture", _PICTURE),
    b"heic": FileKind("a HEIC picture", _PICTURE),
    b"heix": FileKind("a HEIC picture", _PICTURE),
    b"hevc": FileKind("a HEIC picture", _PICTURE),
    b"mif1": FileKind("a HEIC picture", _PICTURE),
    b"msf1": FileKind("a HEIC picture", _PICTURE),
}
_FILM = FileKind("an MP4 film", "films are not read: save a frame as JPEG")


def kind_of(head: bytes) -> FileKind | None:
    """The kind of a file that begins so; None for text, and for what has no mark of its own."""
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return EXCEL if b"[Content_Types].xml" in head or b"xl/" in head else ZIP
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], _FILM)
    if head[257:262] == b"ustar":
        return FileKind("a tar archive", _UNPACK)
    if len(head) > 1 and head[0] == 0x80 and head[1] in range(2, 6):
        return PICKLE
    if head.startswith(b"BM") and head[6:10] == bytes(4):
        return FileKind("a BMP picture", _PICTURE)
    if _SVG.search(head) and head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return FileKind("an SVG drawing", _PICTURE)
    if not _PAGE.match(head):
        return None
    return XML if b"<?xml" in head[:16] and not _ANSWER.search(head) else PAGE


def kind_of_file(path: Path) -> FileKind | None:
    """The kind of a file that is there."""
    with path.open("rb") as file:
        return kind_of(file.read(HEAD))


def refuse_other_kinds(path: Path, wanted: str, *known: FileKind) -> None:
    """Raise ``DataError`` where a file has the mark of a kind that is not ``known``; ``wanted``: "a table"."""
    kind = kind_of_file(path)
    if kind is not None and kind not in known:
        raise other_kind(path, kind, wanted)


def refuse_stand_ins(path: Path, wanted: str) -> None:
    """Raise ``DataError`` where a pointer or a page stands in the place of a file that could not be read."""
    kind = kind_of_file(path) if path.is_file() else None
    if kind is POINTER or kind is PAGE:
        raise other_kind(path, kind, wanted)


def other_kind(path: Path, kind: FileKind, wanted: str) -> DataError:
    """The fault of a file that is something else."""
    return DataError(f"this is {kind.name}, not {wanted}", where=str(path), hint=kind.hint or "look at the file")
