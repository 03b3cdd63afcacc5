"""Hop 1, the catalogue: what can be recommended, whether or not anybody touched it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from viral.base.errors import DataError, UnknownIdError, nearest
from viral.base.files import fingerprint
from viral.data.parquet import read_parquet

if TYPE_CHECKING:
    import polars as pl

ITEMS_FILE = "items.parquet"
REQUIRED_COLUMNS = ("item_id", "title", "text", "image")
OPTIONAL_COLUMNS = ("category", "image_url", "price", "colour", "brand")  # shown and filtered by, never learnt from


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that can be recommended."""

    id: str
    title: str
    text: str  # the catalogue's own words beside the title: description, brand, genres
    image: Path | None  # a file inside the data set's folder
    category: str | None = None  # for filters and maps; never an input of a model
    image_url: str | None = None  # where the picture can be fetched, if it is not here
    price: str | None = None  # as the catalogue writes it, currency and all
    colour: str | None = None
    brand: str | None = None


@dataclass(frozen=True)
class Catalog:
    """The items, in the order that gives them their index; ids are unique and not empty."""

    items: tuple[Item, ...]
    _index: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        index: dict[str, int] = {}
        for row, item in enumerate(self.items):
            if not item.id:
                raise DataError("an item without an id", where=f"item row {row + 1}", hint="give every item an id")
            if item.id in index:
                raise DataError(
                    f"item id {item.id!r} occurs twice (rows {index[item.id] + 1} and {row + 1})",
                    hint="keep one of the rows",
                )
            index[item.id] = row
        object.__setattr__(self, "_index", index)

    @classmethod
    def read(cls, path: Path) -> "Catalog":
        """Read ``items.parquet`` of the data set folder ``path``; pictures must lie inside that folder.

        Raises ``DataError`` naming the file, and the row or column, that cannot be used.
        """
        file = path / ITEMS_FILE
        frame = read_parquet(file)
        check_text(frame, (*REQUIRED_COLUMNS, *(name for name in OPTIONAL_COLUMNS if name in frame.columns)), file)
        return cls(tuple(_items(frame, path)))

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    def __getitem__(self, item_id: str) -> Item:
        """Return the item with this id; ``UnknownIdError`` names the nearest known ids."""
        try:
            return self.items[self._index[item_id]]
        except KeyError:
            raise UnknownIdError(f"unknown item {item_id!r}", hint=nearest(item_id, self._index)) from None

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._index

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(self._index)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of ids, titles and texts, in order."""
        return fingerprint([[item.id, item.title, item.text] for item in self.items])


def _items(frame: "pl.DataFrame", folder: Path) -> Iterator[Item]:
    optional = [name for name in OPTIONAL_COLUMNS if name in frame.columns]
    for row in frame.select(*REQUIRED_COLUMNS, *optional).iter_rows(named=True):
        yield Item(
            id=row["item_id"],
            title=row["title"] or "",
            text=row["text"] or "",
            image=inside(folder, row["image"], row["item_id"]) if row["image"] else None,
            **{name: row.get(name) for name in OPTIONAL_COLUMNS},
        )


def check_text(frame: "pl.DataFrame", names: Sequence[str], file: Path) -> None:
    """Raise ``DataError`` unless every column of ``names`` is there and holds text (or nothing at all)."""
    import polars as pl

    for name in names:
        if name not in frame.columns:
            raise DataError(f"column {name!r} is missing", where=str(file), hint="import the data set again")
        if frame.schema[name] not in (pl.String, pl.Null):
            raise DataError(
                f"column {name!r} must be text, it is {frame.schema[name]}",
                where=str(file),
                hint="import the data set again",
            )


def inside(folder: Path, name: str, item_id: str) -> Path:
    """``folder / name`` if that stays inside ``folder``, else ``DataError`` (no ``..``, no absolute path)."""
    parts: Sequence[str] = Path(name).parts
    if Path(name).is_absolute() or ".." in parts:
        raise DataError(
            f"picture path {name!r} of item {item_id!r} leaves the data set folder",
            where=str(folder / ITEMS_FILE),
            hint="use a path relative to the data set, below images/",
        )
    return folder / name
