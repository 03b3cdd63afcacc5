"""A file that is something else than its name says is refused by what it is: before it is read as what it is not."""

from collections.abc import Mapping
from pathlib import Path

from viral.base.errors import DataError
from viral.base.file_signatures import EXCEL, GZIP, HEAD, OLD_EXCEL, PARQUET, ZIP, FileKind, kind_of, other_kind
from viral.data.importers.compressed import kind_of as suffix_of
from viral.data.importers.compressed import open_bytes

_OWN: Mapping[str, tuple[FileKind, ...]] = {
    ".parquet": (PARQUET,),
    **dict.fromkeys((".xlsx", ".xlsm", ".xls", ".ods"), (EXCEL, ZIP, OLD_EXCEL)),
}


def refuse_foreign(path: Path, wanted: str = "a table", *, text: bool = False) -> None:
    """Raise ``DataError`` where the content of a file, unpacked, has the mark of another kind than its suffix names.

    ``text``: nothing with a mark is wanted, whatever the suffix.
    """
    if not path.is_file():
        raise DataError("no such file", where=str(path), hint="check the name")
    with open_bytes(path) as file:
        kind = kind_of(file.read(HEAD))
    if kind is GZIP:
        raise DataError("this is gzipped twice", where=str(path), hint=f"unpack it once: gunzip {path.name}")
    if kind is not None and (text or kind not in _OWN.get(suffix_of(path), ())):
        raise other_kind(path, kind, wanted)
