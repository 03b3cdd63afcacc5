"""Feature tables under examination: can they be read, are their rows the catalogue's items, and do they differ."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from viral.base.errors import DataError
from viral.data.doctor.report import EXAMPLES, Finding, Severity
from viral.data.doctor.spread import check_spread
from viral.data.features import FeatureTable


def check_features(folder: Path, items: pl.DataFrame) -> Iterator[Finding]:
    """Findings on every table below ``folder`` (a data set's ``features/``)."""
    known = items["item_id"].drop_nulls().unique(maintain_order=True)
    files = sorted(folder.glob("*.parquet"))
    for file in files:
        name = f"features/{file.name}"
        try:
            table = FeatureTable.load(file)
        except DataError as error:
            yield Finding("error", "unusable features", 1, error.what, (name,), error.hint or "encode again")
            continue
        ids = pl.Series(table.item_ids, dtype=pl.String)
        missing, extra = known.filter(~known.is_in(ids.implode())), ids.filter(~ids.is_in(known.implode()))
        nothing: Severity = "error" if len(missing) == len(known) else "warning"
        message = f"items have no row in {name}; they get the mean of the others"
        if nothing == "error":
            message = f"not one item has a row in {name}; it belongs to another data set"
        yield Finding(nothing, "items without features", len(missing), message, _ids(name, missing), _ENCODE)
        message = f"rows of {name} belong to no item; they are ignored"
        yield Finding("note", "features of unknown items", len(extra), message, _ids(name, extra), _ENCODE)
        yield from check_spread(table, name, [other.stem for other in files if other != file])


_ENCODE = "run `viral encode DATASET` again"


def _ids(name: str, ids: pl.Series) -> tuple[str, ...]:
    return tuple(f"{name}, item_id: {item!r}" for item in ids.head(EXAMPLES))
