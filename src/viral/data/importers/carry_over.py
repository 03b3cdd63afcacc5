"""What a data set holds beside its tables: edits by hand, the ledger, descriptions, vectors. No import throws it away.

Whatever takes a data set's place takes these along. What they say of items that have changed is taken out of the
tables of descriptions and vectors, so that nothing stale is learnt from: the ledger and the caches of vectors, which
go by content, keep it.
"""

import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from viral.base.errors import DataError, UsageError
from viral.base.files import sha256_file
from viral.base.progress import say
from viral.data.catalog import ITEMS_FILE
from viral.data.dataset import (
    FEATURES_FOLDER,
    IMAGES_FOLDER,
    INTERACTIONS_FILE,
    MANIFEST_FILE,
    REJECTED_FILE,
    Dataset,
)
from viral.data.descriptions import Description, all_descriptions, save_descriptions
from viral.data.features import MADE_HERE, FeatureTable
from viral.data.modalities import DESCRIPTION, MODALITIES, PICTURE
from viral.data.parquet import read_parquet

OWN = (ITEMS_FILE, INTERACTIONS_FILE, MANIFEST_FILE, REJECTED_FILE)  # every import writes them
DATABASE = ".sqlite"
_OF_DATABASES = (f"{DATABASE}-wal", f"{DATABASE}-shm")  # go with their database


@dataclass(frozen=True, slots=True)
class Changed:
    """Ids of the items that both data sets have and that say something else now."""

    titles: frozenset[str]
    texts: frozenset[str]
    pictures: frozenset[str]

    @property
    def described(self) -> frozenset[str]:
        """Of which a description is of before: of another picture, or asked for by another title."""
        return self.titles | self.pictures

    def of(self, modality: str) -> frozenset[str]:
        """Whose vectors of a modality that ``viral encode`` made are of before."""
        by_part = {"title": self.titles, "text": self.texts, DESCRIPTION: self.described, PICTURE: self.pictures}
        reads = MODALITIES[modality].reads if modality in MODALITIES else by_part
        return frozenset[str]().union(*(by_part[part] for part in reads))


def carry_over(old: Path, new: Path) -> None:
    """Bring along all that lies beside the tables of the data set ``old`` into ``new``, which has its tables.

    What ``new`` has already goes first. Raises ``UsageError`` where not one item is the same: what was described and
    edited would be of no use there.
    """
    files = [file for file in _beside(old) if not (new / file).exists()]
    if not files:
        return
    before, now = _items(old), read_parquet(new / ITEMS_FILE)
    if before is not None and before.height and not before["item_id"].is_in(now["item_id"].implode()).any():
        hint = "choose another folder; or, where nothing there is wanted any more, remove it yourself"
        raise UsageError(
            "it holds descriptions, edits or vectors, and not one of its items is in the new data",
            where=str(old), hint=hint,
        )  # fmt: skip
    for file in files:
        (new / file).parent.mkdir(parents=True, exist_ok=True)
        _bring(old / file, new / file)
    changed = changed_items(before, now, old, new)
    _forget_descriptions(new, now["item_id"].to_list(), changed)
    _forget_vectors(new / FEATURES_FOLDER, [file.name for file in files], changed)


def _beside(folder: Path) -> list[Path]:
    """Relative paths of the files that no import writes."""
    found = (file.relative_to(folder) for file in sorted(folder.rglob("*")) if file.is_file())
    return [
        file
        for file in found
        if str(file) not in OWN and file.parts[0] != IMAGES_FOLDER and not file.name.endswith(_OF_DATABASES)
    ]


def _bring(source: Path, target: Path) -> None:
    """Copy a database as a whole, whoever has it open; link what is never written in place, else copy it."""
    if source.suffix != DATABASE:
        link(source, target)
        return
    try:
        with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
            one.backup(other)
    except sqlite3.DatabaseError:  # damaged: who opens it will say so
        target.unlink(missing_ok=True)
        shutil.copy2(source, target)


def link(source: Path, target: Path) -> None:
    """Give a file that is only ever replaced, never written in place, a second name; or copy it to another disk."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _items(folder: Path) -> pl.DataFrame | None:
    """The items of a data set; None where its table cannot be read, so that nothing is known of them."""
    try:
        return read_parquet(folder / ITEMS_FILE)
    except DataError:
        return None


def changed_items(before: pl.DataFrame | None, now: pl.DataFrame, old: Path, new: Path) -> Changed:
    """Compare two tables of items by id, and their pictures by content; all have changed where nothing is known."""
    if before is None:
        everything = frozenset(now["item_id"].to_list())
        return Changed(everything, everything, everything)
    wanted = ("item_id", "title", "text", "image")
    both = before.select(wanted).join(now.select(wanted), on="item_id", suffix=" now")

    def differ(name: str) -> frozenset[str]:
        other = pl.col(name).fill_null("") != pl.col(f"{name} now").fill_null("")
        return frozenset(both.filter(other)["item_id"].to_list())

    pictures = frozenset(
        item
        for item, one, other in both.select("item_id", "image", "image now").iter_rows()
        if not same_picture(old / one if one else None, new / other if other else None)
    )
    return Changed(differ("title"), differ("text"), pictures)


def same_picture(one: Path | None, other: Path | None) -> bool:
    """Whether two files are there and have the same bytes, or neither is there."""
    there = [file for file in (one, other) if file is not None and file.is_file()]
    if len(there) < 2:
        return not there
    if there[0].samefile(there[1]):
        return True
    return there[0].stat().st_size == there[1].stat().st_size and sha256_file(there[0]) == sha256_file(there[1])


def _forget_descriptions(folder: Path, item_ids: list[str], changed: Changed) -> None:
    """Give every set of descriptions a row for each item as it is now; "pending" where it was not described so."""
    try:
        sets = all_descriptions(Dataset(folder, {}))
    except DataError as error:
        say(f"{error.where}: {error.what}; kept as it is")
        return
    for one in sets:
        known = {row.item_id: row for row in one.rows if one.imported or row.item_id not in changed.described}
        pending = (Description(item, "", one.describer, one.prompt, "", "pending") for item in item_ids)
        rows = tuple(known.get(row.item_id, row) for row in pending)
        if rows != one.rows:
            save_descriptions(replace(one, rows=rows), folder)


def _forget_vectors(folder: Path, names: list[str], changed: Changed) -> None:
    """Take the rows of items that have changed out of the tables that ``viral encode`` made; it makes them again."""
    for path in sorted(folder.glob("*.parquet")):
        stale = changed.of(path.stem)
        try:
            table = FeatureTable.load(path) if stale and path.name in names else None
        except DataError:  # the doctor names it
            continue
        if table is None or not table.fingerprint.startswith(MADE_HERE):
            continue
        kept = [row for row, item in enumerate(table.item_ids) if item not in stale]
        if not kept:
            path.unlink()
        elif len(kept) < len(table.item_ids):
            ids = tuple(table.item_ids[row] for row in kept)
            FeatureTable(ids, table.modality, table.values[kept], table.encoder, table.fingerprint).save(folder)
