"""How well descriptions name what a planted shop's pictures show: counted by words, against its truth."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from viral.dataset import Dataset
from viral.enrich.base import Description
from viral.errors import DataError

TRUTH_FILE = "truth.parquet"
ATTRIBUTES = ("colour", "pattern", "tag")  # what a description of the product itself should name
FOREIGN = ("colour", "pattern")  # what it should not name of the things beside it


def attribute_accuracy(dataset: Dataset, descriptions: Iterable[Description]) -> dict[str, float | int]:
    """Shares of items whose description names the planted attributes, and names those of other things.

    Keys: ``described`` (how many items), ``colour``, ``pattern``, ``tag`` (share whose value's word is in the text),
    ``all`` (share with all three), ``foreign_colour``, ``foreign_pattern`` (share of the items with other things in
    the picture whose text has a word that is true of one of those and not of the product), ``foreign`` (either).
    Items without a description of status ``done`` are left out. ``DataError`` where the data set has no truth.
    """
    truth = _truth(dataset)
    rows = [
        _judge(truth[description.item_id], description.text)
        for description in descriptions
        if description.status == "done" and description.item_id in truth
    ]
    names = (*ATTRIBUTES, "all", *(f"foreign_{name}" for name in FOREIGN), "foreign")
    return {"described": len(rows)} | {name: _share(row[name] for row in rows) for name in names}


def _truth(dataset: Dataset) -> Mapping[str, Mapping[str, Any]]:
    import polars as pl

    file = dataset.path / TRUTH_FILE
    if not file.is_file():
        hint = "only a planted shop has one: make it with `viral shop DATASET`"
        raise DataError("this data set has no truth to compare with", where=str(file), hint=hint)
    frame = pl.read_parquet(file)
    for name in ("item_id", *ATTRIBUTES, "distractors"):
        if name not in frame.columns:
            raise DataError(f"column {name!r} is missing", where=str(file), hint="generate the shop with pictures")
    return {row["item_id"]: row for row in frame.iter_rows(named=True)}


def _judge(item: Mapping[str, Any], text: str) -> dict[str, bool | None]:
    words = set(re.findall(r"[a-z]+(?:-[a-z]+)*", text.lower()))
    named: dict[str, bool | None] = {name: str(item[name]).lower() in words for name in ATTRIBUTES}
    named["all"] = all(named[name] for name in ATTRIBUTES)
    others: Sequence[Mapping[str, str]] = item["distractors"] or []
    for name in FOREIGN:
        foreign = {other[name].lower() for other in others} - {str(item[name]).lower()}
        named[f"foreign_{name}"] = bool(foreign & words) if others else None
    named["foreign"] = any(named[f"foreign_{name}"] for name in FOREIGN) if others else None
    return named


def _share(values: Iterable[bool | None]) -> float:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else 0.0
