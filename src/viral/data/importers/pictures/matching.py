"""Which file is an item's picture: the one that its table names, else the one that is named by its id."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import polars as pl

from viral.data.dataset import Rejection
from viral.data.importers.pictures.folder import (
    BY_ADDRESS,
    BY_NAME,
    NAMED,
    NamedFiles,
    PictureFolder,
    is_address,
    look_through,
)
from viral.data.importers.pictures.owners import Owners, owners_of
from viral.data.importers.readers.raw import ROW
from viral.data.importers.rows import CheckedRows

AMBIGUOUS = "ambiguous picture"  # the reason of a rejection


@dataclass(frozen=True, slots=True)
class WantedPicture:
    """A picture that an item names, or would have: ``name`` is relative to a folder of pictures."""

    item_id: str
    name: str
    row: int | None  # of the item, in its table
    way: str = NAMED  # how it was found
    value: str = ""  # by which it was found


@dataclass(frozen=True, slots=True)
class PictureCell:
    """What an item's table says of its picture."""

    item_id: str
    row: int
    name: str  # of a file, as written
    address: str

    def wanted(self, name: str, way: str, value: str) -> WantedPicture:
        return WantedPicture(self.item_id, name, self.row, way, value)


@dataclass(frozen=True)
class Choice:
    """The pictures that items have, the faults of those that they cannot have, and what else lay there."""

    wanted: list[WantedPicture] = field(default_factory=list)
    faults: list[Rejection] = field(default_factory=list)
    folder: PictureFolder | None = None
    owners: Owners = Owners()  # noqa: RUF009 - never written to

    @cached_property
    def of_no_item(self) -> list[str]:
        """The files that belong to no item, in any way."""
        taken = {picture.name for picture in self.wanted}
        return [name for name in self.owners.of_no_item if name not in taken]


def choose(table: CheckedRows, folders: Sequence[Path], *, below: bool = True, others: Iterable[str] = ()) -> Choice:
    """The picture of each item out of ``folders``: the first is looked through, in the others names are looked up.

    ``others`` are ids of items that are not in ``table``, whose files belong to them.
    """
    if not folders:
        return Choice()
    cells, found = _cells(table), look_through(folders[0], below=below)
    owners = owners_of(found.names, dict.fromkeys((*(cell.item_id for cell in cells), *others)))
    places = [NamedFiles(found.folder, found.names), *(NamedFiles(folder, ()) for folder in folders[1:])]
    chosen = [(cell, _choose(cell, places, owners)) for cell in cells]
    doubtful = _claimed_by_several(wanted for _, wanted in chosen if isinstance(wanted, WantedPicture))
    result = Choice(folder=found, owners=owners)
    for cell, wanted in chosen:
        if isinstance(wanted, WantedPicture) and wanted.name not in doubtful:
            result.wanted.append(wanted)
        elif wanted is not None:
            value = wanted.value if isinstance(wanted, WantedPicture) else wanted
            column = table.names.get("image", "item")
            result.faults.append(Rejection(table.file, cell.row, column, AMBIGUOUS, value[:200]))
    return result


def by_item_id(items: pl.DataFrame, folder: Path) -> list[WantedPicture]:
    """The picture files of ``folder``, at any depth, that are named by the id of one of ``items``."""
    return choose(CheckedRows(folder.name, items), [folder]).wanted if folder.is_dir() else []


def addresses(table: CheckedRows) -> pl.Series:
    """The address of each item's picture: of its own column, or where the image column has one; null where none is."""
    return pl.Series("image_url", [cell.address or None for cell in _cells(table)], pl.String)


def _cells(table: CheckedRows) -> list[PictureCell]:
    absent = [pl.lit(None, pl.String).alias(name) for name in ("image", "image_url") if not table.has(name)]
    cells = []
    for item, row, *both in table.frame.with_columns(absent).select("item", ROW, "image", "image_url").iter_rows():
        image, address = ((text or "").strip() for text in both)
        name, address = ("", address or image) if is_address(image) else (image, address)
        cells.append(PictureCell(item, row, name, address))
    return cells


def _choose(cell: PictureCell, places: Sequence[NamedFiles], owners: Owners) -> WantedPicture | str | None:
    """The picture of an item; the name of it where several could be meant, None where there is none."""
    if cell.name and any(place.there(cell.name) for place in places):
        return cell.wanted(cell.name, NAMED, cell.name)
    alike = places[0].alike(cell.name) if cell.name else []
    if len(alike) == 1:
        return cell.wanted(alike[0], BY_NAME, cell.name)
    own = owners.of_item.get(cell.item_id)
    if own:
        return cell.wanted(*own[0], cell.item_id)
    of_address = places[0].alike(cell.address) if cell.address else []
    if len(of_address) == 1:
        return cell.wanted(of_address[0], BY_ADDRESS, cell.address)
    if alike or not cell.name:
        return cell.name or None
    return cell.wanted(cell.name, NAMED, cell.name)  # missing, or where it must not be: said when it is read


def _claimed_by_several(found: Iterable[WantedPicture]) -> set[str]:
    """The files that different names led to, by their last part alone: of all but one of them that is wrong."""
    values = defaultdict[str, set[str]](set)
    for one in found:
        if one.way in (BY_NAME, BY_ADDRESS):
            values[one.name].add(one.value)
    return {name for name, of_it in values.items() if len(of_it) > 1}
