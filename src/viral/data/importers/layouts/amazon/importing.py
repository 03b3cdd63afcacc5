"""What the Amazon sets of McAuley's group have in common: huge logs, of which only ids and times are held.

Of a log row 24 bytes are kept, and each id once, so that ten million reviews fit where their text would not.
"""

from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from viral.base.errors import DataError
from viral.base.progress import say
from viral.data.dataset import Dataset, Rejection, Source
from viral.data.importers.dataset_folder import new_dataset, write
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
from viral.data.importers.layouts.amazon.recognising import Command, check_log, check_metadata, read_log
from viral.data.importers.readers.raw import ROW, Bad, printable
from viral.data.importers.splits import as_given, at_random

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
        frame = pl.DataFrame(
            {
                "user_id": np.frombuffer(self.user, np.int32),
                "item_id": np.frombuffer(self.item, np.int32),
                "timestamp": np.frombuffer(self.time, np.int64),
                ROW: np.frombuffer(self.row, np.int64),
                PART: np.frombuffer(self.part, np.int8),
            }
        )
        return frame.with_columns(timestamp=pl.when(pl.col("timestamp") != NO_TIME).then(pl.col("timestamp")))


def import_amazon(
    layout: AmazonEdition,
    source: Path,
    dataset: Path,
    *,
    overwrite: bool,
    core: int | None,
    seed: int,
    min_rating: float | None,
    items: Path | None,
) -> Dataset:
    """Import the log and the metadata of one category: what the public importers of the editions do."""
    with new_dataset(source, dataset, overwrite=overwrite) as staging:
        logs, metadata, examples = _files(layout, source, items, Command(source, dataset))
        ready = len(logs) > 1
        core = (0 if ready else 5) if core is None else core
        pairs, users, names, counts, rejections = _read_log(layout, logs, min_rating)
        interactions = _core(pairs, core, source, rejections)
        counts["filtered_by_core"] = pairs.height - interactions.height
        parts = _split(interactions, seed, ready=ready)
        del pairs, interactions
        catalogue = [names[number] for number in parts["item_id"].unique(maintain_order=True).to_list()]
        table, faults, counts["items_without_metadata"] = read_items(layout, metadata, catalogue)
        _check_known(counts["items_without_metadata"], catalogue, metadata, examples)
        parts = parts.with_columns(user_id=users.gather(parts["user_id"]), item_id=names.gather(parts["item_id"]))
        log = ", ".join(path.name for path in logs.values())
        options = {"log": log, "metadata": metadata.name, "min_rating": min_rating, "core": core}
        options |= {"seed": seed, **counts}
        split = as_given(parts, "published") if ready else at_random(seed)
        origin = Source(layout=layout.name, path=str(source), licence=layout.licence, split=split, options=options)
        write(staging, table, _without_empty_time(parts), origin, [*rejections, *faults])
    return Dataset.open(dataset)


def _files(
    layout: AmazonEdition, source: Path, items: Path | None, command: Command
) -> tuple[dict[str, Path], Path, list[str]]:
    """The log by its parts and the metadata, both of this edition, and some ids of the metadata."""
    logs = log_files(layout, source, command.dataset)
    for path in logs.values():
        check_log(layout, path, command)
    metadata = items or meta_file(layout, next(iter(logs.values())), command.dataset)
    return logs, metadata, check_metadata(layout, metadata, command)


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


def _split(interactions: pl.DataFrame, seed: int, *, ready: bool) -> pl.DataFrame:
    """At random within each user, or as the files say whose rows these are."""
    from viral.data.split_rules import random_split

    if not ready:
        return random_split(interactions.drop(PART), seed=seed)
    names = dict(enumerate(PARTS))
    return interactions.with_columns(split=pl.col(PART).replace_strict(names, return_dtype=pl.String)).drop(PART)


def _read_log(
    layout: AmazonEdition, logs: Mapping[str, Path], min_rating: float | None
) -> tuple[pl.DataFrame, pl.Series, pl.Series, dict[str, int], list[Rejection]]:
    """One row for each (user, item), the ids of both, how many rows were filtered, and those that cannot be used."""
    log, rejections, filtered = CompactLog(), list[Rejection](), 0
    for part, path in enumerate(logs.values()):
        for row, record in read_log(layout, path):
            parsed = record if isinstance(record, Bad) else _parsed(record, layout, min_rating)
            if isinstance(parsed, Bad):
                reject(rejections, path, row, parsed)
            elif parsed is None:
                filtered += 1
            else:
                log.add(*parsed, row, part)
    frame = log.frame()
    users, items = (pl.Series(list(ids), dtype=pl.String) for ids in (log.users, log.items))
    kept, again = _one_row_per_pair(frame)
    paths = list(logs.values())
    for number, row, part in again.select("item_id", ROW, PART).iter_rows():
        reject(rejections, paths[part], row, Bad("duplicate pair", items[number], layout.item))
    return kept, users, items, {"filtered_by_rating": filtered}, rejections


def _parsed(record: Record, layout: AmazonEdition, min_rating: float | None) -> tuple[str, str, int] | Bad | None:
    """User, item and time of a row; None where its rating is too low."""
    user, item = record.get(layout.user), record.get(layout.item)
    for kind, name, value in (("user", layout.user, user), ("item", layout.item, item)):
        if not isinstance(value, str) or not value.strip():
            return Bad(f"empty {kind} id", printable(value), name)
        if not value.isascii() and not writable(value):
            return Bad("not UTF-8", printable(value), name)
    assert isinstance(user, str) and isinstance(item, str)
    if min_rating is not None:
        rating = _number(record.get(layout.rating))
        if rating is None:
            return Bad("not a number", printable(record.get(layout.rating)), layout.rating)
        if rating < min_rating:
            return None
    time = record.get(layout.time)
    if time is None or time == "":
        return user, item, NO_TIME
    number = _number(time)
    if number is None or not number.is_integer() or abs(number) >= 2**62:
        return Bad("not a time", printable(time), layout.time)
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


def _core(pairs: pl.DataFrame, core: int, path: Path, rejections: Sequence[Rejection]) -> pl.DataFrame:
    from viral.data.filtering import k_core

    if not pairs.height:
        reasons = Counter(f"{fault.reason} ({fault.field})" if fault.field else fault.reason for fault in rejections)
        why = ", ".join(f"{count:,} × {reason}" for reason, count in reasons.most_common(3))
        what = f"not one interaction is left: {why or 'the file has no rows, or no rating is high enough'}"
        raise DataError(what, where=str(path), hint="look at the file and at the options")
    kept = k_core(pairs.drop(ROW), core)
    if not kept.height:
        raise DataError(f"the {core}-core is empty", where=str(path), hint="ask for a smaller core, or none (0)")
    return kept


def _without_empty_time(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.drop("timestamp") if frame["timestamp"].is_null().all() else frame
