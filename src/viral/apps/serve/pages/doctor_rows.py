"""Rows that the doctor's page names: those of its findings, of descriptions that were not made, of an import."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from viral.apps.serve.pages.paging import Page
from viral.base.errors import DataError
from viral.data.catalog import ITEMS_FILE
from viral.data.dataset import INTERACTIONS_FILE, REJECTED_FILE, Dataset
from viral.data.descriptions import overlaid
from viral.data.doctor import Report
from viral.data.doctor.tables import read_table
from viral.enrich import all_descriptions, load_edits
from viral.lab.quality.statuses import tags_of

ROWS = 50
REJECTED = 100  # rows left out at import that are shown
DONE = "done"
_ROW = re.compile(r"(items|interactions)\.parquet row (\d+), field .*", re.S)
_ITEM = re.compile(r"features/.+\.parquet, item_id: '(.*)'", re.S)


class Place(NamedTuple):
    """One example of a finding: where it is, and the item that it is about, if it is known."""

    text: str
    item_id: str
    title: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding of the doctor with the items of its examples."""

    severity: str
    check: str
    count: int
    message: str
    hint: str
    places: tuple[Place, ...]


def linked(report: Report, dataset: Dataset) -> tuple[Finding, ...]:
    """The findings with the items that their rows are of."""
    items = _rows(dataset.path / ITEMS_FILE, ("title",))
    tables = {"items": items, "interactions": _rows(dataset.path / INTERACTIONS_FILE, ())}
    titles = {item_id: title for item_id, title in items if item_id}
    found = []
    for one in report.findings:
        places = tuple(_place(text, tables, titles) for text in one.examples)
        found.append(Finding(one.severity, one.check, one.count, one.message, one.hint, places))
    return tuple(found)


def _rows(file: Path, more: tuple[str, ...]) -> list[tuple[str, str]]:
    """Item id and title by row; nothing of a table that cannot be read."""
    frame, _ = read_table(file, ("item_id", *more), ())
    if frame is None:
        return []
    titles = frame["title"].to_list() if more else [None] * frame.height
    return [(item or "", title or "") for item, title in zip(frame["item_id"].to_list(), titles, strict=True)]


def _place(text: str, tables: Mapping[str, list[tuple[str, str]]], titles: Mapping[str, str]) -> Place:
    item_id = ""
    if match := _ROW.fullmatch(text):
        rows, row = tables[match[1]], int(match[2])
        item_id = rows[row - 1][0] if 0 < row <= len(rows) else ""
    elif match := _ITEM.fullmatch(text):
        item_id = match[1]
    return Place(text, item_id, titles[item_id]) if item_id in titles else Place(text, "", "")


def described(dataset: Dataset, chosen: str, status: str, page: str) -> dict[str, Any]:
    """Every set of descriptions by status, and the items of one status of the chosen set."""
    try:
        sets, edits = all_descriptions(dataset), load_edits(dataset)
        titles = {item.id: item.title for item in dataset.catalog()}
    except DataError as error:
        return {"sets": [], "chosen": "", "status": "", "listed": None, "titles": {}, "set_fault": error.what}
    rows = {one.file_name.removesuffix(".parquet"): overlaid(one.rows, edits) for one in sets}
    counts = {name: Counter(tag for row in those for tag in tags_of(row)) for name, those in rows.items()}
    chosen = chosen if chosen in rows else next(iter(rows), "")
    there = counts.get(chosen, Counter())
    status = status if status in there else next((tag for tag in there if tag != DONE), "")
    fitting = [row for row in rows.get(chosen, ()) if status in tags_of(row)] if status else []
    named = {one.file_name.removesuffix(".parquet"): (one.describer, one.prompt) for one in sets}
    return {
        "sets": [(name, *named[name], counts[name]) for name in rows],
        "chosen": chosen,
        "status": status,
        "listed": Page.of(fitting, page, ROWS),
        "titles": titles,
        "set_fault": "",
    }


def rejected(dataset: Dataset) -> tuple[list[Mapping[str, Any]], int]:
    """The first rows that the import left out, and how many there are."""
    try:
        with (dataset.path / REJECTED_FILE).open(encoding="utf-8", errors="replace") as file:
            first = [json.loads(line) for line in islice(file, REJECTED)]
            return [row for row in first if isinstance(row, dict)], len(first) + sum(1 for _ in file)
    except (OSError, ValueError):
        return [], 0
