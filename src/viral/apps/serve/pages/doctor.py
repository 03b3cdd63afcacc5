"""What is wrong with the data set or missing from it, row by row, and what became of every picture's description."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from viral.apps.serve.hot_reload import current_snapshot
from viral.apps.serve.pages.rendering import Page, render
from viral.apps.serve.security.access import asks, asks_much
from viral.apps.serve.snapshot import OfFiles, Snapshot
from viral.apps.serve.thread_pools import pools
from viral.base.errors import DataError
from viral.data.catalog import ITEMS_FILE
from viral.data.dataset import INTERACTIONS_FILE, REJECTED_FILE, Dataset
from viral.data.descriptions import DESCRIPTIONS_FOLDER, overlaid
from viral.data.doctor import DoctorReport, examine
from viral.data.doctor.reading import read_table
from viral.data.doctor.report import Finding
from viral.enrich import all_descriptions, load_edits
from viral.lab.quality.status_sections import tags_of

router = APIRouter(include_in_schema=False)
ROWS = 50
REJECTED = 100  # rows left out at import that are shown
DONE = "done"
_ROW = re.compile(r"(items|interactions)\.parquet row (\d+), field .*", re.S)
_ITEM = re.compile(r"features/.+\.parquet, item_id: '(.*)'", re.S)


class ExamplePlace(NamedTuple):
    """One example of a finding: where it is, and the item that it is about, if it is known."""

    text: str
    item_id: str
    title: str


@dataclass(frozen=True, slots=True)
class LinkedFinding:
    """A finding of the doctor with the items of its examples."""

    finding: Finding
    places: tuple[ExamplePlace, ...]


@dataclass(frozen=True, slots=True)
class Examined:
    """An examination of the data set."""

    report: DoctorReport
    findings: tuple[LinkedFinding, ...]


class Examination(OfFiles[Examined]):
    """The last one of a snapshot's data set."""


@router.get("/doctor", dependencies=[Depends(asks)])
def show(
    request: Request,
    chosen: Annotated[str, Query(max_length=200, alias="set")] = "",
    status: Annotated[str, Query(max_length=60)] = "",
    page: str = "1",
) -> Response:
    """The page at once; the examination, which decodes every picture, is asked for by the page."""
    snapshot = current_snapshot(request)
    dataset = snapshot.dataset
    if dataset is None:
        return render(request, "doctor.html", dataset=None)
    return render(
        request, "doctor.html", dataset=dataset, name=dataset.path.resolve().name,
        examined=snapshot.kept(Examination).known(stamp(dataset)),
        rejected=rejected(dataset), **described(dataset, chosen, status, page),
    )  # fmt: skip


@router.get("/doctor/examination", dependencies=[Depends(asks_much)])
async def examination(request: Request, whole: bool = False) -> Response:
    """What the doctor finds, as a part of the page, or for browsers without scripts as a ``whole`` one."""
    snapshot = current_snapshot(request)
    dataset = snapshot.dataset
    template = "doctor_examination_page.html" if whole else "doctor_examination.html"

    def made() -> Response:
        return render(request, template, examined=None if dataset is None else examined_of(snapshot, dataset))

    return await pools(request).long.run(made)


def examined_of(snapshot: Snapshot, dataset: Dataset) -> Examined:
    """The examination of the files as they are now, made where it was not yet."""

    def made() -> Examined:
        report = examine(dataset)
        return Examined(report, linked(report, dataset))

    return snapshot.kept(Examination).of(stamp(dataset), made)


def stamp(dataset: Dataset) -> tuple[tuple[str, int, int], ...]:
    """What changes when a table, a folder of pictures or a feature table does."""
    names = [ITEMS_FILE, INTERACTIONS_FILE, "images", "features", DESCRIPTIONS_FOLDER]
    files = [dataset.path / name for name in names] + sorted(dataset.features_folder.glob("*.parquet"))
    return tuple((path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in files if path.exists())


def linked(report: DoctorReport, dataset: Dataset) -> tuple[LinkedFinding, ...]:
    """The findings with the items that their rows are of."""
    items = _rows(dataset.path / ITEMS_FILE, ("title",))
    tables = {"items": items, "interactions": _rows(dataset.path / INTERACTIONS_FILE, ())}
    titles = {item_id: title for item_id, title in items if item_id}
    return tuple(
        LinkedFinding(one, tuple(_place(text, tables, titles) for text in one.examples)) for one in report.findings
    )


def _rows(file: Path, more: tuple[str, ...]) -> list[tuple[str, str]]:
    """Item id and title by row; nothing of a table that cannot be read."""
    frame, _ = read_table(file, ("item_id", *more), ())
    if frame is None:
        return []
    titles = frame["title"].to_list() if more else [None] * frame.height
    return [(item or "", title or "") for item, title in zip(frame["item_id"].to_list(), titles, strict=True)]


def _place(text: str, tables: Mapping[str, list[tuple[str, str]]], titles: Mapping[str, str]) -> ExamplePlace:
    item_id = ""
    if match := _ROW.fullmatch(text):
        rows, row = tables[match[1]], int(match[2])
        item_id = rows[row - 1][0] if 0 < row <= len(rows) else ""
    elif match := _ITEM.fullmatch(text):
        item_id = match[1]
    return ExamplePlace(text, item_id, titles[item_id]) if item_id in titles else ExamplePlace(text, "", "")


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
