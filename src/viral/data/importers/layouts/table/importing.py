"""Anybody's own tables: a log of interactions, an item table and a folder of pictures, as shops export them."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from viral.base.errors import UsageError
from viral.data.dataset import Dataset, Source
from viral.data.importers.columns.choosing import UserOptions, our_columns
from viral.data.importers.dataset_folder import core_of, log, new_dataset, write
from viral.data.importers.layouts.table.appending import append_table
from viral.data.importers.layouts.table.finding import folder_of
from viral.data.importers.layouts.table.log_and_items import LogAndItems, read_tables
from viral.data.importers.pictures.importing import with_pictures
from viral.data.importers.readers.encodings import known as known_encoding
from viral.data.importers.rows import with_known_items, with_one_row_per_pair
from viral.data.importers.splits import split_log


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
    encoding: str | None = None,
    repair_ids: bool = False,
    day_first: bool | None = None,
    dry_run: bool = False,
    append: bool = False,
    known: Sequence[str] = (),
) -> Dataset:
    """Import an interaction log and an item table, recognised by the names of their columns or of the files.

    ``source`` is a folder, a file of the log, or a pattern (``orders-*.csv``) of several. ``columns`` maps our names
    (:mod:`viral.data.importers.columns.names`) to the files': ``item`` to ``IN_LOG,IN_TABLE`` where those differ,
    and any to ``-`` that is not to be used. The image column names files in ``images`` (or in the source). ``split`` is
    one of ``SplitRule``; by default a split column is obeyed. With ``core`` the items are those of the k-core; without
    an item table, of the log. ``encoding`` is that of files that are not UTF-8, ``day_first`` settles 03/04/2024,
    ``repair_ids`` spells the log's ids as the table has them where that is certain. With ``dry_run`` all is done and
    told but nothing written; the data set that comes back has a manifest alone. With ``append`` what is new goes into
    the data set that is there; ``known`` are ids of items that are in it, and need not be in the item table. Raises
    ``DataError`` for files and columns that cannot be used, ``UsageError`` for wrong words.
    """
    ways: dict[str, Any] = {"items": items, "encoding": encoding, "repair_ids": repair_ids, "day_first": day_first}
    if append:
        if overwrite or core:
            raise UsageError("--append goes with neither --overwrite nor --core", hint="leave them out")
        ways |= {"columns": columns, "images": images, "dry_run": dry_run}
        return append_table(import_table, source, dataset, split, **ways)
    if encoding is not None:
        known_encoding(encoding)
    user_options = UserOptions(columns=our_columns(columns or {}), split=split, core=core, seed=seed, **ways)
    with _target(source, dataset, overwrite=overwrite, dry_run=dry_run) as staging:
        tables = read_tables(source, user_options, known)
        _fill(staging, tables, user_options, source, images=images, known=known, dry_run=dry_run)
        made = Dataset.open(staging)
    return Dataset(dataset, made.manifest) if dry_run else Dataset.open(dataset)


def _fill(
    staging: Path,
    tables: LogAndItems,
    user_options: UserOptions,
    source: Path,
    *,
    images: Path | None,
    known: Sequence[str],
    dry_run: bool,
) -> None:
    """The data set's tables and pictures, from the log and the items as they were read."""
    table, core = tables.items, user_options.core
    pairs = with_one_row_per_pair(with_known_items(tables.log, table.frame["item"]))
    kept = log(pairs) if known else core_of(pairs, core, where=str(source))
    filtered = pairs.frame.height - kept.height
    pairs, parts = split_log(pairs, kept, tables.rule, user_options.seed)
    if core:
        table = table.only(pl.col("item").is_in(parts.interactions["item_id"].unique().implode()))
    others = (*known, *tables.items.frame["item"].to_list())
    pictured = with_pictures(table, source, images, None if dry_run else staging, others=others)
    options = {"columns": dict(user_options.columns), "core": core, "split": tables.rule, "seed": user_options.seed}
    options |= {"filtered_by_core": filtered, **parts.options, **tables.options}
    options |= {"pictures": pictured.told} if pictured.told else {}
    origin = Source(layout="table", path=str(source), split=parts.told, options=options)
    rejections = [*pairs.rejections, *table.rejections, *pictured.rejections]
    write(staging, pictured.items, parts.interactions, origin, rejections)


@contextmanager
def _target(source: Path, dataset: Path, *, overwrite: bool, dry_run: bool) -> Iterator[Path]:
    """The folder to write into; of a dry run one that is thrown away."""
    folder = folder_of(source)
    if not dry_run:
        with new_dataset(folder, dataset, overwrite=overwrite) as staging:
            yield staging
        return
    with tempfile.TemporaryDirectory() as place, new_dataset(folder, Path(place) / "dry", overwrite=False) as staging:
        yield staging
