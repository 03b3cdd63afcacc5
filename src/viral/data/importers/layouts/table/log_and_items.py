"""A shop's log and item table, found, understood and read: the part of an import that writes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from viral.base.errors import UsageError
from viral.base.progress import say
from viral.data.importers.columns.choosing import (
    NONE,
    Chosen,
    UserOptions,
    by_name,
    choose_log,
    grouped,
    id_options,
    kinds_of_event,
    met,
)
from viral.data.importers.columns.names import ITEM_ROLES, LOG_ROLES, own_of_items
from viral.data.importers.columns.reporting import Used, lacking
from viral.data.importers.layouts.table.finding import TableFiles, find
from viral.data.importers.layouts.table.item_ids import join_ids
from viral.data.importers.layouts.table.items import Items, items_of, read_items, tidy
from viral.data.importers.readers.formats import Column, read_columns, read_rows
from viral.data.importers.readers.raw import ROW, in_a_row
from viral.data.importers.rows import FILE, CheckedRows, filled, timed, with_ids, with_items
from viral.data.importers.splits import TIMED, SplitRule, spelt_split, split_rule, with_known_splits
from viral.data.importers.times import span


@dataclass(frozen=True, slots=True)
class ReadLog:
    """The rows of all the files, how many each had, and what was noticed."""

    rows: CheckedRows
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
    logs: Sequence[Chosen],
    words: Mapping[str, str],
    rule: SplitRule,
    user_options: UserOptions,
    by_file: Sequence[str] = (),
) -> ReadLog:
    """Read the chosen columns of every file, and with them ``words``: what the log tells of its items."""
    if not logs:
        empty = pl.DataFrame(schema={ROW: pl.Int64, "user": pl.String, "item": pl.String})
        return ReadLog(CheckedRows("", empty), (), ())
    parts = [_part(log, words, user_options) for log in logs]
    if by_file and rule == "column":
        parts = [rows.with_columns(split=pl.lit(name)) for rows, name in zip(parts, by_file, strict=True)]
    counts = [rows.num_read for rows in parts]
    rows, notes = tidy(with_ids(_together(parts), "user", "item"), "user", "item")
    notes += ["split by the names of the files"] if by_file and rule == "column" else []
    unit = ""
    if rows.has("timestamp"):
        rows, times = timed(rows, required=rule in TIMED, day_first=user_options.day_first)
        unit = times.unit
        told = in_a_row(span(rows.frame["timestamp"], unit), times.told)
        notes += [told] if told else []
    if rule == "column":
        rows = with_known_splits(rows)
    return ReadLog(rows, counts, notes, unit)


def _part(log: Chosen, words: Mapping[str, str], user_options: UserOptions) -> CheckedRows:
    wanted = [Column(ours, (theirs,), required=ours in ("user", "item")) for ours, theirs in log.columns.items()]
    wanted += [
        Column(ours, (theirs,), words=True, members=ours in ("image", "image_url", "category"))
        for ours, theirs in words.items()
        if theirs in log.raw.present and theirs not in log.columns.values()
    ]
    return _whole_orders(read_rows(log.path, wanted, encoding=user_options.encoding))


def _whole_orders(rows: CheckedRows) -> CheckedRows:
    """With user and time in every row of an order of which only the first row has them."""
    if not rows.has("order"):
        return rows
    in_order = pl.col("order").str.strip_chars() != ""
    names = [name for name in ("user", "timestamp") if rows.has(name)]
    above = {name: pl.when(in_order).then(filled(name).forward_fill().over("order")) for name in names}
    return rows.with_columns(**{name: pl.coalesce(filled(name), above[name]) for name in names})


def _together(parts: Sequence[CheckedRows]) -> CheckedRows:
    """The rows of all the files, each with the name of its own where there are several."""
    if len(parts) == 1:
        return parts[0]
    frames = [rows.frame.with_columns(pl.lit(rows.file).alias(FILE)) for rows in parts]
    rejections = tuple(fault for rows in parts for fault in rows.rejections)
    return replace(parts[0], frame=pl.concat(frames, how="diagonal"), rejections=rejections)


@dataclass(frozen=True, slots=True)
class LogAndItems:
    """The log, whose items may be unknown still; the items; and for the manifest how all that was found."""

    log: CheckedRows
    items: CheckedRows
    rule: SplitRule
    options: Mapping[str, Any]


def read_tables(source: Path, user_options: UserOptions, known: Sequence[str] = ()) -> LogAndItems:
    """Read a source (a file, a pattern or a folder), and print what its columns are taken for.

    ``known`` are the ids of the items of a data set that the files are added to; a log need not be there then.
    """
    found = find(source, user_options.items, user_options.columns, user_options.encoding, needs_log=not known)
    logs, table = _chosen(found, user_options)
    by_file = split_by_file(logs)
    has_column = bool(by_file) or (bool(logs) and all("split" in log.columns for log in logs))
    rule = split_rule(user_options.split, has_column=has_column)
    if (fault := lacking(source, logs, table, user_options, rule, by_file=bool(by_file))) is not None:
        raise fault
    words = _words(logs, user_options) if table is None else {}
    log = read_log(logs, words, rule, user_options, by_file)
    items = read_items(table, user_options.encoding) if table is not None else Items(items_of(log.rows), {}, ())
    rows, by_variant = _by_product(log.rows, items)
    used = _used(replace(log, notes=[*log.notes, *by_variant]), logs, words, table, items)
    for use in used:
        say(use.text())
    if found.unread:
        say(f"not used: {', '.join(found.unread)}")
    options: dict[str, Any] = {"files": [use.to_json() for use in used]}
    if log.unit:
        options["time_unit"] = log.unit
    ids = pl.Series(known, dtype=pl.String) if table is None else with_items(items.rows, known).frame["item"]
    if logs and len(ids):
        rows, told = join_ids(rows, ids, logs, table, user_options)
        options |= {"ids": told} if told else {}
    return LogAndItems(rows, with_items(items.rows if table is not None else items_of(rows), known), rule, options)


def _chosen(found: TableFiles, user_options: UserOptions) -> tuple[list[Chosen], Chosen | None]:
    """The columns of all the files; those of the item ids are found together."""
    logs = [choose_log(path, raw, user_options.of_log()) for path, raw in found.log.items()]
    if found.items is None:
        return logs, None
    table = by_name(*found.items, ITEM_ROLES, user_options.of_items())
    options = id_options(table)
    ids = read_columns(table.path, options, user_options.encoding)
    if not logs:
        return [], table
    first, table = met(logs[0], table, ids, user_options.columns)
    item = first.columns.get("item", "")
    alike = [item in log.raw.present and log.columns.get("item") != item for log in logs[1:]]
    others = (
        log.taking("item", item, first.why["item"]) if has else log for log, has in zip(logs[1:], alike, strict=True)
    )
    return [first, *others], grouped(table)


def _words(logs: Sequence[Chosen], user_options: UserOptions) -> dict[str, str]:
    """What a log without an item table tells of its items: role -> column."""
    own = own_of_items(logs[0].raw.present)
    for ours, theirs in user_options.columns.items():
        if ours in {role.name for role in LOG_ROLES} or theirs == NONE:
            continue
        if theirs not in logs[0].raw.present:
            hint = "give the item table with --items, or name it items.csv beside the log"
            raise UsageError(f"there is no item table that could have the column {ours!r}", hint=hint)
        own[ours] = theirs
    skipped = {ours for ours, theirs in user_options.columns.items() if theirs == NONE}
    taken = logs[0].columns.values()
    return {ours: theirs for ours, theirs in own.items() if ours not in skipped and theirs not in taken}


def _by_product(log: CheckedRows, items: Items) -> tuple[CheckedRows, list[str]]:
    """The log with the item of each variant, where it names variants that are not items themselves."""
    known = items.rows.frame["item"]
    variants = {variant: item for variant, item in items.variants.items() if variant != item}
    names = pl.col("item").is_in(list(variants)) & ~pl.col("item").is_in(known.implode())
    count = int(log.frame.select(names.sum()).item()) if variants else 0
    if not count:
        return log, []
    item = pl.when(names).then(pl.col("item").replace(variants)).otherwise(pl.col("item"))
    return log.with_columns(item=item), [f"{count:,} rows name a variant: they count for its item"]


def _used(
    log: ReadLog, logs: Sequence[Chosen], words: Mapping[str, str], table: Chosen | None, items: Items
) -> list[Used]:
    what = "log" if table is not None or not words else "log and items"
    used = [Used(one, what, count, words) for one, count in zip(logs, log.counts, strict=True)]
    notes = [*log.notes, *(note for one in logs[:1] if (note := kinds_of_event(one)))]
    if used:
        used[-1] = replace(used[-1], notes=notes)
    if table is not None:
        used.append(Used(table, "items", items.count, {}, items.notes))
    return used
