"""Reading a damaged data set: what can be read is, and what cannot is a finding."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from viral.base.errors import DataError
from viral.base.files import sha256_file
from viral.data.catalog import ITEMS_FILE
from viral.data.dataset import INTERACTIONS_FILE, Dataset
from viral.data.doctor.report import ROW, Finding
from viral.data.parquet import read_parquet

BLANKS = "blanks around an id"  # a check of both tables
_AGAIN = "import the data set again"


def read_table(
    file: Path, required: Sequence[str], optional: Sequence[str]
) -> tuple[pl.DataFrame | None, list[Finding]]:
    """The table with ROW and all of ``required`` as text, and what is wrong with it as a table.

    Without its ids there is no table; another column that is absent is full of nulls.
    """
    try:
        frame = read_parquet(file)
    except DataError as error:
        return None, [Finding("error", "unreadable table", 1, error.what, (file.name,), error.hint)]
    missing = [name for name in required if name not in frame.columns]
    findings = [
        Finding("error", "missing column", 1, f"{file.name} has no column {name!r}", hint=_AGAIN) for name in missing
    ]
    if any(name.endswith("_id") for name in missing):
        return None, findings
    frame = frame.with_columns(pl.lit(None, pl.String).alias(name) for name in missing)
    columns = [*required, *(name for name in optional if name in frame.columns)]
    for name in columns:
        if frame.schema[name] not in (pl.String, pl.Null):
            what = f"column {name!r} of {file.name} is {frame.schema[name]}, not text"
            findings.append(Finding("error", "wrong type", 1, what, hint=_AGAIN))
        frame = frame.with_columns(_as_text(frame[name]))
    return frame.with_row_index(ROW, offset=1).select(ROW, *columns), findings


def _as_text(values: pl.Series) -> pl.Series:
    try:
        return values.cast(pl.String, strict=False)
    except pl.exceptions.PolarsError:  # lists, structures
        return pl.Series(values.name, [None] * len(values), pl.String)


def with_blanks(column: str) -> pl.Expr:
    """Whether an id that is not empty begins or ends with a blank."""
    text = pl.col(column).str.strip_chars()
    return (text != pl.col(column)) & (text != "")


def check_hashes(dataset: Dataset) -> list[Finding]:
    """Whether the tables are those that the manifest was written for: caches go by its hashes."""
    hashes: Mapping[str, object] = dataset.manifest.get("hashes", {})
    changed = tuple(
        name
        for name in (ITEMS_FILE, INTERACTIONS_FILE)
        if (dataset.path / name).is_file() and hashes.get(name) != sha256_file(dataset.path / name)
    )
    message = "tables were changed after the import: cached results of the old ones would be used for them"
    return [Finding("warning", "changed by hand", len(changed), message, changed, _AGAIN)]
