"""What the Amazon sets of McAuley's group have in common: huge logs, of which only ids and times are held.

Of a log row 24 bytes are kept, and each id once, so that ten million reviews fit where their text would not.
"""

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from viral.base.errors import DataError
from viral.base.progress import say
from viral.data.dataset import Dataset, Rejection, Source
from viral.data.importers.dataset_folder import new_dataset, nonempty_core, write
from viral.data.importers.layouts.amazon.files import (
    PARTS,
    AmazonEdition,
    Record,
    log_files,
    meta_file,
    reject,
    writable,
)
from viral.data.importers.layouts.amazon.metadata import read_items
from viral.data.importers.layouts.amazon.recognising import EditionCheck, read_log
from viral.data.importers.readers.raw import ROW, Bad, printable
from viral.data.importers.splits import as_given, at_random
from viral.data.split_rules import random_split

NO_TIME = -(2**63)
PART = "\0part"
SHARE_KNOWN = 0.5  # of the log's items, below which metadata that lack the others are told


@dataclass(slots=True)
class CompactLog:
    """Interactions while they are read: ids as numbers in order of appearance."""

    users: dict[str, int] = field(default_factory=dict)
    items: dict[str, int] = field(default_factory=dict)
    user: "array[int]" = field(default_factory=lambda: array("i"))
    item: "array[int]" = field(default_factory=lambda: array("i"))
    time: "array[int]" = field(default_factory=lambda: array("q"))
    row: "array[int]" = field(default_factory=lambda: array("q"))
    part: "array[int]" = field(default_factory=lambda: array("b"))  # of a ready split, its place in PARTS

    def add(self, user: str, item: str, time: int, row: int, part: int = 0) -> None:
        self.user.append(self.users.setdefault(user, len(self.users)))
        self.item.append(self.items.setdefault(item, len(self.items)))
        self.time.append(time)
        self.row.append(row)
        self.part.append(part)

    def frame(self) -> pl.DataFrame:
        """``user_id`` and ``item_id`` as numbers, ``timestamp`` and the row in the file."""
        names = ("user_id", "item_id", "timestamp", ROW, PART)
        numbers = (self.user, self.item, self.time, self.row, self.part)
        frame = pl.DataFrame({name: np.frombuffer(one, one.typecode) for name, one in zip(names, numbers, strict=True)})
        return frame.with_columns(timestamp=pl.when(pl.col("timestamp") != NO_TIME).then(pl.col("timestamp")))


def import_amazon(
    edition: AmazonEdition,
    source: Path,
    dataset: Path,
    *,
    overwrite: bool = False,
    core: int | None = None,
    seed: int = 0,
    min_rating: float | None = None,
    items: Path | None = None,
) -> Dataset:
    """Import one category: ``source`` is the folder of its two files, or the log, with the metadata (``items``) beside.

    As the published benchmark does (MMRec): every rating is an interaction (or those of at least ``min_rating``), only
    the ``core``-core is kept (5; of a ready split all), items stand in order of their first appearance in it, and each
    user's interactions are split at random with ``seed``, if they are not yet. The published split of 2014 itself was
    drawn without a seed: numbers beside published ones need ``viral import mmrec``. An item without metadata stays,
    without words. Pictures are named by ``image_url`` and not fetched. Raises ``DataError`` where a file cannot be read
    or is of another edition, or nothing is left.
    """
    with new_dataset(source, dataset, overwrite=overwrite) as staging:
        logs = log_files(edition, source, dataset)
        metadata = items or meta_file(edition, logs[0], dataset)
        examples = EditionCheck(edition, source, dataset).files(logs, metadata)
        ready = len(logs) > 1
        core = (0 if ready else 5) if core is None else core
        pairs, users, names, filtered, rejections = _read_pairs(edition, logs, source, min_rating)
        interactions = nonempty_core(pairs.drop(ROW), core, where=str(source))
        filtered["filtered_by_core"] = pairs.height - interactions.height
        parts = _published_split(interactions) if ready else random_split(interactions.drop(PART), seed=seed)
        del pairs, interactions
        catalogue = [names[number] for number in parts["item_id"].unique(maintain_order=True).to_list()]
        table, faults, filtered["items_without_metadata"] = read_items(edition, metadata, catalogue)
        _check_known(filtered["items_without_metadata"], catalogue, metadata, examples)
        options: dict[str, Any] = {"log": ", ".join(path.name for path in logs), "metadata": metadata.name}
        options |= {"min_rating": min_rating, "core": core, "seed": seed, **filtered}
        split = as_given(parts, "published") if ready else at_random(seed)
        origin = Source(layout=edition.name, path=str(source), licence=edition.licence, split=split, options=options)
        write(staging, table, _with_ids(parts, users, names), origin, [*rejections, *faults])
    return Dataset.open(dataset)


def _with_ids(parts: pl.DataFrame, users: pl.Series, items: pl.Series) -> pl.DataFrame:
    """With ids instead of numbers, and no time where no row has one."""
    parts = parts.drop("timestamp") if parts["timestamp"].is_null().all() else parts
    return parts.with_columns(user_id=users.gather(parts["user_id"]), item_id=items.gather(parts["item_id"]))


def _check_known(without: int, items: list[str], metadata: Path, examples: list[str]) -> None:
    """Raise ``DataError`` where the metadata know none of the log's items; tell where they lack many."""
    if without == len(items):
        there = f", the metadata's {', '.join(examples[:3])}" if examples else ""
        what = (
            f"not one of the {len(items):,} items of the log is in the metadata: the log's are {', '.join(items[:3])}"
        )
        raise DataError(what + there, where=str(metadata), hint="name the metadata of this category with --items")
    if without > (1 - SHARE_KNOWN) * len(items):
        say(f"{metadata.name}: {without:,} of {len(items):,} items are not in it and have no words")


def _published_split(interactions: pl.DataFrame) -> pl.DataFrame:
    """With the split of the files whose rows these are."""
    names = dict(enumerate(PARTS))
    return interactions.with_columns(split=pl.col(PART).replace_strict(names, return_dtype=pl.String)).drop(PART)


def _read_pairs(
    edition: AmazonEdition, logs: Sequence[Path], source: Path, min_rating: float | None
) -> tuple[pl.DataFrame, pl.Series, pl.Series, dict[str, int], list[Rejection]]:
    """One row for each (user, item), the ids of both, how many rows were filtered, and those that cannot be used.

    Raises ``DataError`` where no interaction is left.
    """
    log, rejections, filtered = CompactLog(), list[Rejection](), 0
    for part, path in enumerate(logs):
        for row, record in read_log(edition, path):
            parsed = record if isinstance(record, Bad) else _parsed(record, edition, min_rating)
            if isinstance(parsed, Bad):
                reject(rejections, path, row, parsed)
            elif parsed is None:
                filtered += 1
            else:
                log.add(*parsed, row, part)
    users, items = (pl.Series(list(ids), dtype=pl.String) for ids in (log.users, log.items))
    kept, again = _one_row_per_pair(log.frame())
    for number, row, part in again.select("item_id", ROW, PART).iter_rows():
        reject(rejections, logs[part], row, Bad("duplicate pair", items[number], edition.item))
    _check_left(kept, source, rejections)
    return kept, users, items, {"filtered_by_rating": filtered}, rejections


def _parsed(record: Record, edition: AmazonEdition, min_rating: float | None) -> tuple[str, str, int] | Bad | None:
    """User, item and time of a row; None where its rating is too low."""
    user, item = record.get(edition.user), record.get(edition.item)
    for kind, name, value in (("user", edition.user, user), ("item", edition.item, item)):
        if not isinstance(value, str) or not value.strip():
            return Bad(f"empty {kind} id", printable(value), name)
        if not value.isascii() and not writable(value):
            return Bad("not UTF-8", printable(value), name)
    assert isinstance(user, str) and isinstance(item, str)
    if min_rating is not None:
        rating = _number(record.get(edition.rating))
        if rating is None:
            return Bad("not a number", printable(record.get(edition.rating)), edition.rating)
        if rating < min_rating:
            return None
    time = record.get(edition.time)
    if time is None or time == "":
        return user, item, NO_TIME
    number = _number(time)
    if number is None or not number.is_integer() or abs(number) >= 2**62:
        return Bad("not a time", printable(time), edition.time)
    return user, item, int(number)


def _number(value: Any) -> float | None:
    """A finite number, also one that is written as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if np.isfinite(number) else None


def _one_row_per_pair(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The earliest row of every (user, item), in the order of the files; and the others."""
    pair, place = ("user_id", "item_id"), (PART, ROW)
    several = frame.filter(pl.struct(pair).is_duplicated())
    first = several.sort("timestamp", nulls_last=True, maintain_order=True).unique(pair, keep="first")
    again = several.join(first.select(place), on=place, how="anti", maintain_order="left")
    return (frame.join(again.select(place), on=place, how="anti") if again.height else frame), again


def _check_left(pairs: pl.DataFrame, path: Path, rejections: Sequence[Rejection]) -> None:
    """Raise ``DataError`` where no interaction is left, with the commonest reasons."""
    if not pairs.height:
        reasons = Counter(f"{fault.reason} ({fault.field})" if fault.field else fault.reason for fault in rejections)
        why = ", ".join(f"{count:,} × {reason}" for reason, count in reasons.most_common(3))
        what = f"not one interaction is left: {why or 'the file has no rows, or no rating is high enough'}"
        raise DataError(what, where=str(path), hint="look at the file and at the options")
