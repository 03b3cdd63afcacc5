"""The interaction log, of one file or of several: usable ids, times as numbers, splits spelt our way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from viral.data.importers.choosing import Chosen
from viral.data.importers.item_table import tidy
from viral.data.importers.raw import LEFT_EMPTY, ROW
from viral.data.importers.reading import Column, read_rows
from viral.data.importers.rows import FILE, Rows, timed, with_ids
from viral.data.importers.splits import TIMED, SplitRule, spelt_split, with_known_splits
from viral.data.importers.times import span
from viral.data.importers.wishes import Wishes


@dataclass(frozen=True, slots=True)
class Log:
    """The rows of all the files, how many each had, and what was noticed."""

    rows: Rows
    counts: Sequence[int]
    notes: Sequence[str]
    unit: str = ""  # of the times: s, ms, us or ns


def split_by_file(logs: Sequence[Chosen]) -> list[str]:
    """The part of the split that each file is, where all are called so: ``train.csv``, ``test.csv``."""
    names = [log.path.name.partition(".")[0] for log in logs]
    parts = [spelt_split(name) for name in names]
    named = len(logs) > 1 and "train" in parts and None not in parts and not any("split" in log.columns for log in logs)
    return names if named else []


def read_log(
    logs: Sequence[Chosen], words: Mapping[str, str], rule: SplitRule, wishes: Wishes, by_file: Sequence[str] = ()
) -> Log:
    """Read the chosen columns of every file, and with them ``words``: what the log tells of its items."""
    if not logs:
        empty = pl.DataFrame(schema={ROW: pl.Int64, "user": pl.String, "item": pl.String})
        return Log(Rows("", empty), (), ())
    parts = [_part(log, words, wishes) for log in logs]
    if by_file and rule == "column":
        parts = [rows.with_columns(split=pl.lit(name)) for rows, name in zip(parts, by_file, strict=True)]
    counts = [rows.frame.height + sum(not fault.reason.endswith(LEFT_EMPTY) for fault in rows.rejections)
              for rows in parts]  # fmt: skip
    rows, notes = tidy(with_ids(_together(parts), "user", "item"), "user", "item")
    notes += ["split by the names of the files"] if by_file and rule == "column" else []
    unit = ""
    if rows.has("timestamp"):
        rows, times = timed(rows, required=rule in TIMED, day_first=wishes.day_first)
        unit = times.unit
        told = ", ".join(part for part in (span(rows.frame["timestamp"], unit), times.told) if part)
        notes += [told] if told else []
    if rule == "column":
        rows = with_known_splits(rows)
    return Log(rows, counts, notes, unit)


def _part(log: Chosen, words: Mapping[str, str], wishes: Wishes) -> Rows:
    wanted = [Column(ours, (theirs,), required=ours in ("user", "item")) for ours, theirs in log.columns.items()]
    wanted += [
        Column(ours, (theirs,), words=True, members=ours in ("image", "image_url", "category"))
        for ours, theirs in words.items()
        if theirs in log.raw.present and theirs not in log.columns.values()
    ]
    return _whole_orders(read_rows(log.path, wanted, encoding=wishes.encoding))


def _whole_orders(rows: Rows) -> Rows:
    """With user and time in every row of an order of which only the first row has them."""
    if not rows.has("order"):
        return rows
    order = pl.col("order").str.strip_chars()
    filled = [
        pl.coalesce(_written(name), pl.when(order != "").then(_written(name).forward_fill().over("order"))).alias(name)
        for name in ("user", "timestamp")
        if rows.has(name)
    ]
    return rows.with_columns(**{one.meta.output_name(): one for one in filled})


def _written(name: str) -> pl.Expr:
    text = pl.col(name)
    return pl.when(text.str.strip_chars() != "").then(text)


def _together(parts: Sequence[Rows]) -> Rows:
    """The rows of all the files, each with the name of its own where there are several."""
    if len(parts) == 1:
        return parts[0]
    frames = [rows.frame.with_columns(pl.lit(rows.file).alias(FILE)) for rows in parts]
    rejections = tuple(fault for rows in parts for fault in rows.rejections)
    return replace(parts[0], frame=pl.concat(frames, how="diagonal"), rejections=rejections)
