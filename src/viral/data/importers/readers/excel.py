"""Excel workbooks, as calamine reads them: the first sheet that holds rows; numbers without a needless point."""

import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from viral.base.errors import DataError
from viral.data.importers.readers.compressed import unpacked
from viral.data.importers.readers.raw import Asked, Raw, Row, gather

SUFFIXES = (".xlsx", ".xlsm", ".xls", ".ods")
_MOST = 2 * 2**30  # bytes of a workbook unpacked
_HINT = "check that it opens, or save it as CSV"


def read_excel(path: Path, asked: Asked) -> Raw:
    """Read the columns that are asked for and there; the first row that is not empty names them."""
    names, name, cells = _sheet(path)
    filled = (row for row in cells if any(cell != "" for cell in row))
    header = [(_text(cell) or "").strip() for cell in next(filled, [])]
    if not any(header):
        raise DataError("the workbook is empty", where=str(path), hint="the first row must name the columns")
    wanted = asked.among(header)
    places = [header.index(name) for name in wanted]
    frame, rejections = gather(path, _rows(filled, places), wanted, asked)
    return Raw(header, frame, rejections, f"sheet {name!r}" + (f" of {', '.join(names)}" if len(names) > 1 else ""))


def _sheet(path: Path) -> tuple[list[str], str, list[list[Any]]]:
    """The names of all sheets that hold something, and the first of them."""
    import python_calamine as calamine

    with unpacked(path) as file:
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as parts:
                if sum(part.file_size for part in parts.infolist()) > _MOST:
                    raise DataError("the workbook is larger than 2 GiB unpacked", where=str(path), hint=_HINT)
        try:
            book = calamine.CalamineWorkbook.from_path(file)
            sheets = {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}
        except (calamine.CalamineError, OSError, ValueError) as error:
            raise DataError(f"not a workbook that can be read ({error})", where=str(path), hint=_HINT) from None
    full = {name: cells for name, cells in sheets.items() if any(any(cell != "" for cell in row) for row in cells)}
    return (list(full), *next(iter(full.items()), ("", [])))


def _rows(cells: Iterator[Sequence[Any]], places: Sequence[int]) -> Iterator[Row]:
    for row in cells:
        yield [_text(row[place]) if place < len(row) else None for place in places]


def _text(cell: Any) -> str | None:
    if cell is None or cell == "":
        return None
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, date | datetime):
        return cell.isoformat()
    return str(cell)
