"""The MMRec layout (Zhou, MMAsia 2023): ``<name>.inter`` with its split, ``*_feat.npy`` by item number.

``<name>.inter`` is tab-separated ``userID, itemID, x_label`` (0 train, 1 validation, 2 test). Items are numbered from
0; row n of a feature file, and the row with itemID n of ``items.csv``, belong to item n. Its id is the number as text.
Some have no times but ``order.csv`` (``userID, itemID, position``): the place of each interaction in its user's order.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from viral.base.errors import DataError, UsageError
from viral.base.file_signatures import NUMPY, refuse_other_kinds
from viral.base.files import sha256_file
from viral.base.progress import say
from viral.data.dataset import FEATURES_FOLDER, Dataset, Source
from viral.data.features import FeatureTable
from viral.data.importers.dataset_folder import joined, log, new_dataset, write
from viral.data.importers.layouts.recognising import elsewhere, only
from viral.data.importers.readers.formats import in_words, look, optional, read_rows, required
from viral.data.importers.rows import (
    CheckedRows,
    require_rows,
    with_ids,
    with_one_row_per_item,
    with_one_row_per_pair,
    with_times,
)
from viral.data.importers.splits import as_given

ITEMS_TABLE, ORDER_TABLE, FEATURES_ENDING = "items.csv", "order.csv", "_feat.npy"
MAX_ITEMS = 50_000_000  # a number above is a slip, and would make a catalogue of that many items
_TEXTS = ("description", "keywords", "brand", "categories")
_LOG = required(user="userID", item="itemID", label="x_label") + optional(timestamp="timestamp")
_ORDER = required(user="userID", item="itemID", timestamp="position")
_ITEMS = required(item="itemID") + optional(**{name: name for name in ("title", "image_url", "category", *_TEXTS)})
_PLACES = f"position in {ORDER_TABLE}: a place in the user's own order, not a time"
_MODALITY = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")  # becomes a file's name, and a word of a model's configuration
_TYPED = re.compile(r":(?:token|float|token_seq|float_seq)$")


def import_mmrec(
    source: Path, dataset: Path, *, overwrite: bool = False, features: Mapping[str, str | Path] | None = None
) -> Dataset:
    """Import a folder (or the ``.inter`` file in it) of the published multimodal-recommendation benchmarks.

    The split is the published one; the manifest says whether it is in time order, as far as the log or ``order.csv``
    tells. Items are 0 to the greatest number in the log or in ``items.csv``. Features are those of ``*_feat.npy`` and
    of ``features``: modality -> file, from the source's folder on. Raises ``DataError`` where a file cannot be read or
    a feature file has not one row per item, ``UsageError`` for a modality that cannot be called so.
    """
    with new_dataset(source, dataset, overwrite=overwrite) as staging:
        file = _log_file(source, dataset)
        rows, order = _with_order(_read_log(file), file.parent / ORDER_TABLE)
        table = _read_items(file.parent / ITEMS_TABLE)
        _check_known(rows, table, file.parent / ITEMS_TABLE)
        count = 1 + int(pl.concat([rows.frame["number"], table.frame["number"]]).to_numpy().max())
        items = pl.DataFrame({"item": [str(number) for number in range(count)]})
        items = items.join(table.frame, on="item", how="left", maintain_order="left")
        items = items.with_columns(text=joined(items, _TEXTS))
        files = _feature_files(file.parent, features or {})
        for modality, values in files.items():
            _read_features(values, modality, count).save(staging / FEATURES_FOLDER)
        interactions = log(rows)
        options: dict[str, object] = {"features": {modality: str(values.name) for modality, values in files.items()}}
        options |= {"timestamp": _PLACES} if order is not None else {}
        origin = Source(layout="mmrec", path=str(source), split=as_given(interactions, "published"), options=options)
        faults = [*rows.rejections, *table.rejections, *(order.rejections if order is not None else ())]
        write(staging, items, interactions, origin, faults)
    return Dataset.open(dataset)


def _log_file(source: Path, dataset: Path) -> Path:
    """The log: the file that was given, or the one in the folder; raises where it is of another edition."""
    file = source if source.is_file() else only(sorted(source.glob("*.inter")), ".inter files", source)
    if file is None:
        hint = elsewhere("mmrec", source, dataset) or "give the folder of the .inter file"
        raise DataError("no .inter file in this folder", where=str(source), hint=hint)
    _check_edition(file, dataset)
    return file


def _check_edition(file: Path, dataset: Path) -> None:
    """Raise ``DataError`` where the log has no labels of its split, as RecBole's atomic files, with typed names."""
    names = look(file).present
    if "x_label" in names:
        return
    items = file.with_suffix(".item")
    table = f"viral import table {file} {dataset}" + (f" --items {items}" if items.is_file() else "")
    typed = [name for name in names if _TYPED.search(name)]
    what = f"column 'x_label' is missing; {in_words(names)}"
    hint = f"a log without the labels of a split is of the layout 'table': {table}"
    if typed:
        what = f"an atomic file of RecBole ({', '.join(typed[:4])}), not MMRec's, which has userID, itemID and x_label"
        hint = f"its layout is 'table': {table}"
    raise DataError(what, where=str(file), hint=hint)


def _read_log(file: Path) -> CheckedRows:
    rows = _with_numbers(with_ids(read_rows(file, _LOG, option=""), "user", "item"))
    split = pl.col("label").replace_strict({"0": "train", "1": "valid", "2": "test"}, default=None)
    rows = rows.without(split.is_null(), "label", "unknown split").with_columns(split=split)
    rows = with_one_row_per_pair(with_times(rows, required=False))
    require_rows(rows, "interaction", str(file))
    return rows


def _with_order(rows: CheckedRows, file: Path) -> tuple[CheckedRows, CheckedRows | None]:
    """The log with its places in ``order.csv`` as ``timestamp``, and that table's rows; None where it has its own."""
    if rows.has("timestamp") or not file.is_file():
        return rows, None
    pair = ["user", "item"]
    order = with_times(_with_numbers(with_ids(read_rows(file, _ORDER, option=""), *pair)), required=True)
    known = rows.frame.select(*pair, known=pl.lit(True))
    order = with_one_row_per_pair(replace(order, frame=order.frame.join(known, on=pair, how="left")))
    order = order.without(pl.col("known").is_null(), "item", "not in the log")
    places = order.frame.select(*pair, "timestamp")
    return replace(rows, frame=rows.frame.join(places, on=pair, how="left", maintain_order="left")), order


def _read_items(file: Path) -> CheckedRows:
    if not file.is_file():
        return CheckedRows(file.name, pl.DataFrame(schema={"item": pl.String, "number": pl.Int64}))
    return with_one_row_per_item(_with_numbers(with_ids(read_rows(file, _ITEMS, option=""), "item")))


def _check_known(log: CheckedRows, items: CheckedRows, file: Path) -> None:
    """Raise ``DataError`` where the item table is another's: it has rows, and none of the log's items."""
    known = log.frame["number"].is_in(items.frame["number"].implode()).any()
    if not known and (items.frame.height or items.rejections):
        here, there = (", ".join(rows.frame["item"].unique().sort().head(3)) or "none" for rows in (log, items))
        what = f"not one item of the log is in {file.name}: the log's are {here}, the table's {there}"
        raise DataError(what, where=str(file), hint="take the table of this very log, whose itemID are its numbers")


def _with_numbers(rows: CheckedRows) -> CheckedRows:
    """Add ``number``, the item's; the id becomes its plain decimal form."""
    number = pl.col("item").cast(pl.Int64, strict=False)
    rows = rows.without(number.is_null() | (number < 0), "item", "not an item number")
    rows = rows.without(number >= MAX_ITEMS, "item", "item number too large")
    return rows.with_columns(number=number).with_columns(item=pl.col("number").cast(pl.String))


def _feature_files(folder: Path, named: Mapping[str, str | Path]) -> dict[str, Path]:
    """Modality -> file: ``image_feat.npy`` is ``image``; what is ``named`` goes before."""
    found = {file.name.removesuffix(FEATURES_ENDING): file for file in sorted(folder.glob(f"*{FEATURES_ENDING}"))}
    for modality, name in named.items():
        if not _MODALITY.fullmatch(modality):
            hint = "a letter, then letters, digits, _ or -: for example image"
            raise UsageError(f"a modality cannot be called {modality!r}", where="--features", hint=hint)
        if not (folder / name).is_file():
            hint = "give the file of --features as it lies in the folder of the .inter file"
            raise DataError(f"no such file of features for {modality!r}", where=str(folder / name), hint=hint)
        found[modality] = folder / name
    taken = {file.resolve() for file in found.values()}
    for file in sorted(folder.glob("*.npy")):
        if file.resolve() not in taken:
            say(f"{file}: not taken, as no modality is named; to have it: --features NAME={file.name}")
    return found


def _read_features(file: Path, modality: str, count: int) -> FeatureTable:
    """The features of one modality; a row an item."""
    hint = "use a plain .npy file of numbers, items × dimensions"
    refuse_other_kinds(file, "an array", NUMPY)
    try:
        values = np.lib.format.open_memmap(file, mode="r")  # refuses objects, which would be pickles
    except (OSError, ValueError, EOFError, SyntaxError) as error:
        raise DataError(f"not an array ({error})", where=str(file), hint=hint) from None
    if values.ndim != 2 or values.dtype.kind not in "fiu":
        raise DataError(f"an array of {values.dtype} with shape {values.shape}", where=str(file), hint=hint)
    if len(values) != count:
        hint = f"row n belongs to itemID n; take the file of this very log, or list all items in {ITEMS_TABLE}"
        raise DataError(f"{len(values):,} rows of features for {count:,} items", where=str(file), hint=hint)
    encoder = f"{file.name} as published"
    return FeatureTable(tuple(map(str, range(count))), modality, values.astype(np.float32), encoder, sha256_file(file))
