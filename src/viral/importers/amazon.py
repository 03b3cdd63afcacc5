"""What the Amazon sets of McAuley's group have in common: huge logs, of which only ids and times are held.

Of a log row 24 bytes are kept, and each id once, so that ten million reviews fit where their text would not.
"""

from array import array
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from viral.dataset import Dataset, Rejection, Source
from viral.errors import DataError
from viral.importers.amazon_items import read_items
from viral.importers.amazon_layout import Layout, log_file, meta_file, reject, writable
from viral.importers.amazon_lines import Record
from viral.importers.folder import new_dataset, write
from viral.importers.raw import ROW, Bad, printable
from viral.importers.splits import at_random

NO_TIME = -(2**63)


@dataclass(slots=True)
class Log:
    """Interactions while they are read: ids as numbers in order of appearance."""

    users: dict[str, int] = field(default_factory=dict)
    items: dict[str, int] = field(default_factory=dict)
    user: "array[int]" = field(default_factory=lambda: array("i"))
    item: "array[int]" = field(default_factory=lambda: array("i"))
    time: "array[int]" = field(default_factory=lambda: array("q"))
    row: "array[int]" = field(default_factory=lambda: array("q"))

    def add(self, user: str, item: str, time: int, row: int) -> None:
        self.user.append(self.users.setdefault(user, len(self.users)))
        self.item.append(self.items.setdefault(item, len(self.items)))
        self.time.append(time)
        self.row.append(row)

    def frame(self) -> pl.DataFrame:
        """``user_id`` and ``item_id`` as numbers, ``timestamp`` and the row in the file."""
        frame = pl.DataFrame(
            {
                "user_id": np.frombuffer(self.user, np.int32),
                "item_id": np.frombuffer(self.item, np.int32),
                "timestamp": np.frombuffer(self.time, np.int64),
                ROW: np.frombuffer(self.row, np.int64),
            }
        )
        return frame.with_columns(timestamp=pl.when(pl.col("timestamp") != NO_TIME).then(pl.col("timestamp")))


def import_amazon(
    layout: Layout,
    source: Path,
    dataset: Path,
    *,
    overwrite: bool,
    core: int,
    seed: int,
    min_rating: float | None,
    items: Path | None,
) -> Dataset:
    """Import the log and the metadata of one category: what the public importers of the editions do."""
    from viral.data import random_split

    with new_dataset(source, dataset, overwrite=overwrite) as staging:
        log = log_file(layout, source)
        metadata = items or meta_file(layout, log)
        pairs, users, names, counts, rejections = _read_log(layout, log, min_rating)
        interactions = _core(pairs, core, log)
        counts["filtered_by_core"] = pairs.height - interactions.height
        parts = random_split(interactions, seed=seed)
        del pairs, interactions
        catalogue = [names[number] for number in parts["item_id"].unique(maintain_order=True).to_list()]
        table, faults, counts["items_without_metadata"] = read_items(layout, metadata, catalogue)
        parts = parts.with_columns(user_id=users.gather(parts["user_id"]), item_id=names.gather(parts["item_id"]))
        options = {"log": log.name, "metadata": metadata.name, "min_rating": min_rating, "core": core}
        options |= {"seed": seed, **counts}
        origin = Source(
            layout=layout.name, path=str(source), licence=layout.licence, split=at_random(seed), options=options
        )
        write(staging, table, _without_empty_time(parts), origin, [*rejections, *faults])
    return Dataset.open(dataset)


def _read_log(
    layout: Layout, path: Path, min_rating: float | None
) -> tuple[pl.DataFrame, pl.Series, pl.Series, dict[str, int], list[Rejection]]:
    """One row for each (user, item), the ids of both, how many rows were filtered, and those that cannot be used."""
    log, rejections, filtered = Log(), list[Rejection](), 0
    for row, record in layout.read(path):
        parsed = record if isinstance(record, Bad) else _parsed(record, layout, min_rating)
        if isinstance(parsed, Bad):
            reject(rejections, path, row, parsed)
        elif parsed is None:
            filtered += 1
        else:
            log.add(*parsed, row)
    frame = log.frame()
    users, items = (pl.Series(list(ids), dtype=pl.String) for ids in (log.users, log.items))
    kept, again = _one_row_per_pair(frame)
    for number, row in again.select("item_id", ROW).iter_rows():
        reject(rejections, path, row, Bad("duplicate pair", items[number], layout.item))
    return kept, users, items, {"filtered_by_rating": filtered}, rejections


def _parsed(record: Record, layout: Layout, min_rating: float | None) -> tuple[str, str, int] | Bad | None:
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
    """The earliest row of every (user, item), in the file's order; and the others."""
    pair = ("user_id", "item_id")
    several = frame.filter(pl.struct(pair).is_duplicated())
    first = several.sort("timestamp", nulls_last=True, maintain_order=True).unique(pair, keep="first")
    again = several.join(first.select(ROW), on=ROW, how="anti", maintain_order="left")
    return (frame.join(again.select(ROW), on=ROW, how="anti") if again.height else frame), again


def _core(pairs: pl.DataFrame, core: int, path: Path) -> pl.DataFrame:
    from viral.data import k_core

    if not pairs.height:
        raise DataError("not one interaction is left", where=str(path), hint="look at the file and at the options")
    kept = k_core(pairs.drop(ROW), core)
    if not kept.height:
        raise DataError(f"the {core}-core is empty", where=str(path), hint="ask for a smaller core, or none (0)")
    return kept


def _without_empty_time(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.drop("timestamp") if frame["timestamp"].is_null().all() else frame
