"""The MicroLens layout (Ni et al., arXiv 2309.15379): short videos with their titles and covers.

``MicroLens-<size>_pairs.csv`` with ``user, item, timestamp``, or ``…_pairs.tsv`` with a user and, in time order, their
videos in each line; ``…_titles.csv`` (``…_title_en.csv``) with ``item, title``, a header or not; and ``…_covers/`` with
``<item>.jpg``.
"""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from viral.base.errors import DataError, UsageError
from viral.data.dataset import Dataset, Source
from viral.data.importers.columns.names import LOG_ITEM, TIMESTAMP, USER, key
from viral.data.importers.dataset_folder import core_of, new_dataset, write
from viral.data.importers.layouts.recognising import elsewhere, only
from viral.data.importers.pictures.importing import with_pictures
from viral.data.importers.readers.compressed import refuse_foreign
from viral.data.importers.readers.raw import ROW, Bad, Row, open_text
from viral.data.importers.rows import (
    CheckedRows,
    headless,
    with_ids,
    with_known_items,
    with_one_row_per_item,
    with_one_row_per_pair,
    with_times,
)
from viral.data.importers.splits import split_log, split_rule

LICENCE = "MicroLens: for research; see the data set's page"
_LOG, _TITLES = ("user", "item", "timestamp"), ("item", "title")
_PLACES = "place in the line of the user: an order of their own, not a time"


def import_microlens(
    source: Path,
    dataset: Path,
    *,
    overwrite: bool = False,
    core: int = 0,
    split: str | None = None,
    seed: int = 0,
    images: Path | None = None,
    items: Path | None = None,
) -> Dataset:
    """Import a folder of one size, or its file of pairs: the videos of the titles, or for want of those of the log.

    ``split`` is random (the default), temporal, global or none; ``items`` is the file of titles and ``images`` the
    folder of covers where they are called otherwise. Raises ``DataError`` where the log cannot be read, or knows no
    video of the titles.
    """
    rule = split_rule(split, has_column=False)
    if rule == "column":
        raise UsageError("MicroLens has no column that tells the split", where="--split", hint="random or temporal")
    with new_dataset(source, dataset, overwrite=overwrite) as staging:
        file = _pairs_file(source, dataset)
        titles, covers = items or _beside(file, "title"), images or _covers(file)
        rows = with_times(with_ids(_read_log(file), "user", "item"), required=True)
        catalogue = everything = _catalogue(rows, titles)
        pairs = with_one_row_per_pair(with_known_items(rows, catalogue.frame["item"]))
        kept = core_of(pairs, core, where=str(file))
        filtered = pairs.frame.height - kept.height
        pairs, parts = split_log(pairs, kept, rule, seed)
        if core:
            catalogue = catalogue.only(pl.col("item").is_in(kept["item_id"].unique().implode()))
        pictured = with_pictures(catalogue, file, covers, staging, others=everything.frame["item"].to_list())
        options: dict[str, Any] = {"log": file.name, "titles": titles.name if titles else None, "core": core}
        options |= {"split": rule, "seed": seed, "filtered_by_core": filtered, "pictures": pictured.told}
        options |= {"timestamp": _PLACES} if file.suffix == ".tsv" else {}
        origin = Source(layout="microlens", path=str(source), licence=LICENCE, split=parts.told, options=options)
        rejections = [*pairs.rejections, *catalogue.rejections, *pictured.rejections]
        write(staging, pictured.items, parts.interactions, origin, rejections)
    return Dataset.open(dataset)


def _pairs_file(source: Path, dataset: Path) -> Path:
    """The log; with times where there are both."""
    if source.is_file():
        return source
    for suffix in (".csv", ".tsv"):
        if file := only(sorted(source.glob(f"*_pairs{suffix}")), "logs", source):
            return file
    hint = elsewhere("microlens", source, dataset) or "give the folder that has MicroLens-<size>_pairs.csv"
    raise DataError("no *_pairs.csv and no *_pairs.tsv here", where=str(source), hint=hint)


def _beside(log: Path, what: str) -> Path | None:
    size = log.name.partition("_")[0]
    names = (f"{size}_{what}s.csv", f"{size}_{what}_en.csv", f"{size}_{what}s_en.csv", f"{size}_{what}.csv")
    return next((log.with_name(name) for name in names if log.with_name(name).is_file()), None)


def _covers(log: Path) -> Path | None:
    size = log.name.partition("_")[0]
    return next((path for path in sorted(log.parent.glob(f"{size}*covers*")) if path.is_dir()), None)


def _catalogue(log: CheckedRows, titles: Path | None) -> CheckedRows:
    if titles is None:
        return CheckedRows(log.file, log.frame.select(ROW, "item").unique("item", keep="first", maintain_order=True))
    return with_one_row_per_item(_read(titles, _TITLES))


def _read_log(file: Path) -> CheckedRows:
    return _read(file, _LOG, in_lines=file.suffix.lower() == ".tsv")


def _read(path: Path, names: Sequence[str], *, in_lines: bool = False) -> CheckedRows:
    """The rows of a file with a header or without; ``in_lines``: of a user's videos in a row."""
    refuse_foreign(path)
    with open_text(path) as (file, _):
        records = csv.reader(file, delimiter="\t" if in_lines else ",")
        rows = _from_lines(records) if in_lines else _from_records(records, names)
        return headless(path, rows, names)


def _from_lines(records: Iterator[list[str]]) -> Iterator[Row | Bad]:
    for record in filter(None, records):
        if len(record) == 2 and not _is_header(record):
            yield from ([record[0], item, str(place)] for place, item in enumerate(record[1].split()))
        elif not _is_header(record):
            yield Bad("wrong number of fields", "\t".join(record))


def _from_records(records: Iterator[list[str]], names: Sequence[str]) -> Iterator[Row | Bad]:
    for number, record in enumerate(filter(None, records)):
        if number or not _is_header(record):
            yield record if len(record) == len(names) else Bad("wrong number of fields", ",".join(record))


def _is_header(record: Sequence[str]) -> bool:
    """Whether a first row names the columns."""
    known = {key(name) for role in (USER, LOG_ITEM, TIMESTAMP) for name in role.names}
    return key(record[0]) in known
