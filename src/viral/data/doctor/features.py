"""Feature tables under examination: can they be read, are their rows the catalogue's items, and do they differ."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from viral.base.errors import DataError
from viral.data.doctor.report import EXAMPLES, Finding, Severity
from viral.data.features import FeatureTable, FloatArray
from viral.data.modalities import MODALITIES, Modality

_ENCODE = "run `viral encode DATASET` again"
LEAST_ITEMS = 10
SAME = 0.5  # share of the items with one and the same vector
ALIKE = 0.98  # mean cosine of two items
CHUNK = 4096


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


def _ids(name: str, ids: pl.Series) -> tuple[str, ...]:
    return tuple(f"{name}, item_id: {item!r}" for item in ids.head(EXAMPLES))


def check_spread(table: FeatureTable, name: str, others: Sequence[str]) -> Iterator[Finding]:
    """At most one finding on a readable table; ``name`` is its file, ``others`` are the data set's other modalities."""
    items = len(table.item_ids)
    if items < LEAST_ITEMS:
        return
    keys = [hashlib.blake2b(row.tobytes(), digest_size=16).digest() for row in np.ascontiguousarray(table.values)]
    hint = _hint(table.modality, others)
    commonest, count = Counter(keys).most_common(1)[0]
    if count >= SAME * items:
        same = [item for item, key in zip(table.item_ids, keys, strict=True) if key == commonest][:EXAMPLES]
        examples = tuple(f"{name}, item_id: {item!r}" for item in same)
        message = f"of {items:,} items have one and the same vector in {name}: it does not tell most of them apart"
        yield Finding("warning", "features that separate nothing", count, message, examples, hint)
    elif mean_cosine(table.values) > ALIKE:
        message = f"items have nearly the same vector in {name}: a model learns nothing from it"
        yield Finding("warning", "features that separate nothing", items, message, (name,), hint)


def mean_cosine(values: FloatArray) -> float:
    """The mean cosine of two rows (n, F), which is the squared length of the mean direction."""
    total = np.zeros(values.shape[1])
    for start in range(0, len(values), CHUNK):
        part = values[start : start + CHUNK].astype(np.float64)
        total += (part / np.maximum(np.linalg.norm(part, axis=1, keepdims=True), 1e-12)).sum(axis=0)
    return float(np.square(total / len(values)).sum())


def _hint(modality: str, others: Sequence[str]) -> str:
    look = MODALITIES[modality].advice if modality in MODALITIES else Modality.advice
    if not others:
        return look
    read = ",".join(f'"{name}"' for name in others)
    return f"{look}; or train without it: viral train DATASET --set 'sources=[{read}]'"
