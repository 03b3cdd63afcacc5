"""Anybody's own tables: an interaction log, an item table and a folder of pictures; CSV, TSV, JSON lines or Parquet."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from viral.dataset import Dataset, Source
from viral.errors import DataError, UsageError, nearest
from viral.importers.folder import core_of, new_dataset, write
from viral.importers.images import with_pictures
from viral.importers.raw import ROW
from viral.importers.reading import SUFFIXES, Column, missing_column, read_rows
from viral.importers.rows import (
    Rows,
    with_ids,
    with_known_items,
    with_one_row_per_item,
    with_one_row_per_pair,
    with_times,
)
from viral.importers.splits import (
    BY_TIME,
    SplitRule,
    as_given,
    at_random,
    split_rule,
    temporal_split,
    with_known_splits,
)

USER = Column("user", ("user", "user_id", "userId", "userID"), required=True)
ITEM = Column("item", ("item", "item_id", "itemId", "itemID"), required=True)
TIMESTAMP, SPLIT = Column("timestamp", ("timestamp", "time")), Column("split", ("split",))
LOG_COLUMNS = (USER, ITEM, TIMESTAMP, SPLIT)
ITEM_COLUMNS = (
    ITEM,
    Column("title", ("title", "name")),
    Column("text", ("text", "description")),
    Column("image", ("image",)),
    Column("category", ("category",)),
    Column("image_url", ("image_url",)),
)


def import_table(
    source: Path,
    dataset: Path,
    *,
    overwrite: bool = False,
    columns: Mapping[str, str] | None = None,
    images: Path | None = None,
    items: Path | None = None,
    core: int = 0,
    split: str | None = None,
    seed: int = 0,
) -> Dataset:
    """Import an interaction log (``source`` or its ``interactions.*``) and an item table (``items`` or ``items.*``).

    ``columns`` maps our names to the file's: user, item, timestamp, split; title, text, image, category, image_url
    (``item`` to ``NAME_IN_LOG,NAME_IN_TABLE`` where those differ). The image column names files in ``images`` (or in
    the source); without one, a picture is named by its item's id. ``split`` is column, temporal or random; by default
    a split column is obeyed. With ``core`` the items are those of the k-core; without an item table, of the log.
    Raises ``DataError`` for files and columns that cannot be used, ``UsageError`` for wrong words.
    """
    columns = _our_columns(columns or {})
    with new_dataset(source, dataset, overwrite=overwrite) as staging:
        log, table, rule = _read(source, items, columns, split)
        pairs = with_one_row_per_pair(with_known_items(log, table.frame["item"]))
        interactions = _split(core_of(pairs, core, where=str(source)), rule, seed)
        if core:
            table = table.only(pl.col("item").is_in(interactions["item_id"].unique().implode()))
        pictured = with_pictures(table, source, images, staging)
        filtered = pairs.frame.height - interactions.height
        options = {"columns": columns, "core": core, "split": rule, "seed": seed, "filtered_by_core": filtered}
        options |= {"pictures": pictured.told} if pictured.told else {}
        rejections = [*pairs.rejections, *table.rejections, *pictured.rejections]
        told = {"column": as_given(interactions, "as the log says"), "temporal": BY_TIME, "random": at_random(seed)}[
            rule
        ]
        origin = Source(layout="table", path=str(source), split=told, options=options)
        write(staging, pictured.items, interactions, origin, rejections)
    return Dataset.open(dataset)


def _our_columns(columns: Mapping[str, str]) -> dict[str, str]:
    """The mapping by our names; ``user_id`` and ``item_id``, as a data set calls them, are taken as well."""
    columns = {{"user_id": "user", "item_id": "item"}.get(name, name): theirs for name, theirs in columns.items()}
    known = dict.fromkeys(column.name for column in (*LOG_COLUMNS, *ITEM_COLUMNS))
    for name in columns:
        if name not in known:
            raise UsageError(f"unknown column {name!r}", where="--column", hint=nearest(name, known))
    return columns


def _read(
    source: Path, items: Path | None, columns: Mapping[str, str], split: str | None
) -> tuple[Rows, Rows, SplitRule]:
    """The log, the item table, and the rule of the split."""
    log_file = source if source.is_file() else _conventional(source, "interactions")
    if log_file is None:
        hint = f"name the log interactions.csv (or {', '.join(SUFFIXES[1:])}), or give the file itself as the source"
        raise DataError("no interaction log in this folder", where=str(source), hint=hint)
    log, rule = _read_log(log_file, columns, split)
    table_file = items or (_conventional(source, "items") if source.is_dir() else None)
    return log, _read_items(table_file, columns, log), rule


def _conventional(folder: Path, stem: str) -> Path | None:
    """The one table of that name in ``folder``, if there is one."""
    files = [folder / (stem + suffix) for suffix in SUFFIXES if (folder / (stem + suffix)).is_file()]
    if len(files) > 1:
        names = ", ".join(file.name for file in files)
        raise UsageError(f"several tables of one name: {names}", where=str(folder), hint="keep one of them there")
    return files[0] if files else None


def _read_log(file: Path, columns: Mapping[str, str], split: str | None) -> tuple[Rows, SplitRule]:
    """The log with usable ids, times and splits, and the rule by which it is split."""
    rows = with_ids(read_rows(file, LOG_COLUMNS, _for_file(columns, LOG_COLUMNS, 0)), "user", "item")
    rule = split_rule(split, has_column=rows.has("split"))
    for needed, column in (("temporal", TIMESTAMP), ("column", SPLIT)):
        if rule == needed and not rows.has(column.name):
            raise missing_column(file, column.name, columns.get(column.name, column.name), rows.present)
    if rows.has("timestamp"):
        rows = with_times(rows, required=rule == "temporal")
    return (with_known_splits(rows) if rule == "column" else rows), rule


def _read_items(file: Path | None, columns: Mapping[str, str], log: Rows) -> Rows:
    """The item table, or for want of one the items of the log, in order of appearance."""
    if file is None:
        for name in columns:
            if name not in {column.name for column in LOG_COLUMNS}:
                hint = "give the item table with --items, or name it items.csv beside the log"
                raise UsageError(f"there is no item table that could have the column {name!r}", hint=hint)
        return Rows(log.file, log.frame.select(ROW, "item").unique("item", keep="first", maintain_order=True))
    rows = read_rows(file, ITEM_COLUMNS, _for_file(columns, ITEM_COLUMNS, -1))
    return with_one_row_per_item(with_ids(rows, "item"))


def _for_file(columns: Mapping[str, str], wanted: Sequence[Column], place: int) -> dict[str, str]:
    """The mappings that concern one file; of ``item=LOG_NAME,TABLE_NAME`` the one at ``place``."""
    names = {column.name for column in wanted}
    return {
        ours: theirs.split(",")[place] if ours == "item" else theirs
        for ours, theirs in columns.items()
        if ours in names
    }


def _split(interactions: pl.DataFrame, rule: SplitRule, seed: int) -> pl.DataFrame:
    from viral.data import random_split

    if rule == "column":
        return interactions
    return temporal_split(interactions) if rule == "temporal" else random_split(interactions, seed=seed)
