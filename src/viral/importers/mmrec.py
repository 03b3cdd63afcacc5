"""The MMRec layout (Zhou, MMAsia 2023): ``<name>.inter`` with its split, ``*_feat.npy`` by item number.

``<name>.inter`` is tab-separated ``userID, itemID, x_label`` (0 train, 1 validation, 2 test). Items are numbered from
0; row n of a feature file, and the row with itemID n of ``items.csv``, belong to item n. Its id is the number as text.
"""

from pathlib import Path

import numpy as np
import polars as pl

from viral.dataset import FEATURES_FOLDER, Dataset, Source
from viral.encode.table import FeatureTable
from viral.errors import DataError, UsageError
from viral.files import sha256_file
from viral.importers.folder import joined, log, new_dataset, write
from viral.importers.reading import Column, read_rows
from viral.importers.rows import (
    Rows,
    require_rows,
    with_ids,
    with_one_row_per_item,
    with_one_row_per_pair,
    with_times,
)

ITEMS_TABLE = "items.csv"
MAX_ITEMS = 50_000_000  # a number above is a slip, and would make a catalogue of that many items
_TEXTS = ("description", "keywords", "brand", "categories")
_LOG = (
    Column("user", ("userID",), required=True),
    Column("item", ("itemID",), required=True),
    Column("label", ("x_label",), required=True),
    Column("timestamp", ("timestamp",)),
)
_ITEMS = (
    Column("item", ("itemID",), required=True),
    *(Column(name, (name,)) for name in ("title", "image_url", "category", *_TEXTS)),
)


def import_mmrec(source: Path, dataset: Path, *, overwrite: bool = False) -> Dataset:
    """Import a folder (or the ``.inter`` file in it) of the published multimodal-recommendation benchmarks.

    The split is the published one. Items are 0 to the greatest number in the log or in ``items.csv``. Raises
    ``DataError`` where a file cannot be read or a feature file has not one row per item.
    """
    with new_dataset(source, dataset, overwrite=overwrite) as staging:
        file = _log_file(source)
        rows = _read_log(file)
        table = _read_items(file.parent / ITEMS_TABLE)
        count = 1 + int(pl.concat([rows.frame["number"], table.frame["number"]]).to_numpy().max())
        items = pl.DataFrame({"item": [str(number) for number in range(count)]})
        items = items.join(table.frame, on="item", how="left", maintain_order="left")
        items = items.with_columns(text=joined(items, _TEXTS))
        for features in sorted(file.parent.glob("*_feat.npy")):
            _read_features(features, count).save(staging / FEATURES_FOLDER)
        origin = Source(layout="mmrec", path=str(source))
        write(staging, items, log(rows), origin, [*rows.rejections, *table.rejections])
    return Dataset.open(dataset)


def _log_file(source: Path) -> Path:
    if source.is_file():
        return source
    files = sorted(source.glob("*.inter"))
    if not files:
        raise DataError("no .inter file in this folder", where=str(source), hint="give the folder of the .inter file")
    if len(files) > 1:
        names = ", ".join(file.name for file in files)
        raise UsageError(f"several .inter files: {names}", where=str(source), hint="give one of them as the source")
    return files[0]


def _read_log(file: Path) -> Rows:
    rows = _with_numbers(with_ids(read_rows(file, _LOG), "user", "item"))
    split = pl.col("label").replace_strict({"0": "train", "1": "valid", "2": "test"}, default=None)
    rows = rows.without(split.is_null(), "label", "unknown split").with_columns(split=split)
    if rows.has("timestamp"):
        rows = with_times(rows, required=False)
    rows = with_one_row_per_pair(rows)
    require_rows(rows, "interaction", str(file))
    return rows


def _read_items(file: Path) -> Rows:
    if not file.is_file():
        return Rows(file.name, pl.DataFrame(schema={"item": pl.String, "number": pl.Int64}))
    return with_one_row_per_item(_with_numbers(with_ids(read_rows(file, _ITEMS), "item")))


def _with_numbers(rows: Rows) -> Rows:
    """Add ``number``, the item's; the id becomes its plain decimal form."""
    number = pl.col("item").cast(pl.Int64, strict=False)
    rows = rows.without(number.is_null() | (number < 0), "item", "not an item number")
    rows = rows.without(number >= MAX_ITEMS, "item", "item number too large")
    return rows.with_columns(number=number).with_columns(item=pl.col("number").cast(pl.String))


def _read_features(file: Path, count: int) -> FeatureTable:
    """One modality, named by the file: ``image_feat.npy`` is ``image``."""
    hint = "use a plain .npy file of numbers, items × dimensions"
    try:
        values = np.lib.format.open_memmap(file, mode="r")  # refuses objects, which would be pickles
    except (OSError, ValueError, EOFError, SyntaxError) as error:
        raise DataError(f"not an array ({error})", where=str(file), hint=hint) from None
    if values.ndim != 2 or values.dtype.kind not in "fiu":
        raise DataError(f"an array of {values.dtype} with shape {values.shape}", where=str(file), hint=hint)
    if len(values) != count:
        raise DataError(
            f"{len(values):,} rows of features for {count:,} items",
            where=str(file),
            hint=f"row n belongs to itemID n; take the file of this very log, or list all items in {ITEMS_TABLE}",
        )
    ids = tuple(str(number) for number in range(count))
    encoder = f"{file.name} as published"
    return FeatureTable(ids, file.name.removesuffix("_feat.npy"), values.astype(np.float32), encoder, sha256_file(file))
