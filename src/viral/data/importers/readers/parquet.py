"""Parquet as text: dates as ISO 8601, whole numbers without a point, lists and structures as their JSON."""

import json
from pathlib import Path

import polars as pl

from viral.base.errors import DataError
from viral.data.importers.columns.names import USER, candidates, key
from viral.data.importers.readers.compressed import unpacked
from viral.data.importers.readers.json import LINES
from viral.data.importers.readers.raw import ROW, Asked, Raw
from viral.data.parquet import read_parquet

_EXACT = 2**53  # beyond it a float64 does not tell one whole number from the next


def read_parquet_file(path: Path, asked: Asked) -> Raw:
    """Read the columns that are asked for and there."""
    with unpacked(path) as file:
        try:
            frame = read_parquet(file, hint="check the file, or write it again")
        except DataError as error:
            raise DataError(error.what, where=str(path), hint=error.hint) from None
    numbers = pl.int_range(1, frame.height + 1, dtype=pl.Int64, eager=True).alias(ROW)
    frame = _row_an_item(frame.with_columns(numbers))
    present = [name for name in frame.columns if name != ROW]
    if asked.limit is not None:
        frame = frame.head(asked.limit)
    texts = [_as_text(frame[name], path, sample=asked.names is None) for name in asked.among(present)]
    return Raw(present, pl.DataFrame([frame[ROW], *texts]))


def _row_an_item(frame: pl.DataFrame) -> pl.DataFrame:
    """Of a table of orders, with a column of lists of structures, a row an item; the other columns are repeated."""
    lists = [name for name, kind in frame.schema.items() if key(name) in LINES and _is_lines(kind)]
    if not lists:
        return frame
    structures = [name for name, kind in frame.schema.items() if isinstance(kind, pl.Struct)]
    flat = frame.explode(lists[0])
    for name in (*structures, lists[0]):
        flat = flat.with_columns(pl.col(name).name.prefix_fields(f"{name}.")).unnest(name)
    return flat if candidates(flat.columns, USER) else frame


def _is_lines(kind: pl.DataType) -> bool:
    return isinstance(kind, pl.List) and isinstance(kind.inner, pl.Struct)


def _as_text(values: pl.Series, path: Path, *, sample: bool) -> pl.Series:
    kind = values.dtype
    if kind in (pl.Date, pl.Datetime):
        return values.dt.to_string("iso")
    if kind in (pl.Binary, pl.Object, pl.Time, pl.Duration):
        if sample:
            return pl.Series(values.name, [None] * len(values), pl.String)
        raise DataError(f"column {values.name!r} holds {kind}, not text", where=str(path), hint="write it as text")
    if kind.is_nested():
        cells = (
            None if cell is None else json.dumps(cell, ensure_ascii=False, default=str) for cell in values.to_list()
        )
        return pl.Series(values.name, list(cells), pl.String)
    if kind.is_float() and _all_whole(values):
        return values.cast(pl.Int64).cast(pl.String)
    return values.cast(pl.String)


def _all_whole(values: pl.Series) -> bool:
    """Whether pandas made whole numbers floating, as it does where one is missing."""
    known = values.drop_nulls()
    return bool(((known.is_finite()) & (known.abs() < _EXACT) & (known == known.round())).all())
