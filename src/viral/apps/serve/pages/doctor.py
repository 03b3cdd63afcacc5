"""What is wrong with the data set or missing from it, row by row, and what became of every picture's description."""

import threading
from dataclasses import dataclass
from typing import Annotated
from weakref import WeakKeyDictionary

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from viral.apps.serve.pages import render
from viral.apps.serve.pages.doctor_rows import Finding, described, linked, rejected
from viral.apps.serve.security.access import asks, asks_much
from viral.apps.serve.snapshot import Snapshot
from viral.data.catalog import ITEMS_FILE
from viral.data.dataset import INTERACTIONS_FILE, Dataset
from viral.data.descriptions import DESCRIPTIONS_FOLDER
from viral.data.doctor import Report, examine

router = APIRouter(include_in_schema=False)
Short = Annotated[str, Query(max_length=60)]
Chosen = Annotated[str, Query(max_length=200, alias="set")]


@dataclass(frozen=True, slots=True)
class Examined:
    """An examination, and the files that it was of."""

    report: Report
    findings: tuple[Finding, ...]
    stamp: tuple[tuple[str, int, int], ...]


_examined: WeakKeyDictionary[Snapshot, Examined] = WeakKeyDictionary()
_lock = threading.Lock()


@router.get("/doctor", dependencies=[Depends(asks)])
def show(
    request: Request,
    chosen: Annotated[str, Query(max_length=200, alias="set")] = "",
    status: Short = "",
    page: str = "1",
) -> Response:
    """The page at once; the examination, which decodes every picture, is asked for by the page."""
    snapshot: Snapshot = request.app.state.live.current
    dataset = snapshot.dataset
    if dataset is None:
        return render(request, "doctor.html", dataset=None)
    return render(
        request, "doctor.html", dataset=dataset, name=dataset.path.resolve().name, examined=_known(snapshot, dataset),
        rejected=rejected(dataset), **described(dataset, chosen, status, page),
    )  # fmt: skip


@router.get("/doctor/examination", dependencies=[Depends(asks_much)])
async def examination(request: Request, whole: bool = False) -> Response:
    """What the doctor finds, as a part of the page, or for browsers without scripts as a ``whole`` one."""
    snapshot: Snapshot = request.app.state.live.current
    dataset = snapshot.dataset
    template = "doctor_examination_page.html" if whole else "doctor_examination.html"

    def made() -> Response:
        return render(request, template, examined=None if dataset is None else examined_of(snapshot, dataset))

    answer: Response = await request.app.state.work.long.run(made)
    return answer


def _known(snapshot: Snapshot, dataset: Dataset) -> Examined | None:
    """The last examination, if the files are still those that it was of."""
    found = _examined.get(snapshot)
    return found if found is not None and found.stamp == stamp(dataset) else None


def examined_of(snapshot: Snapshot, dataset: Dataset) -> Examined:
    """The examination of the files as they are now, made where it was not yet."""
    with _lock:
        found = _known(snapshot, dataset)
        if found is None:
            now = stamp(dataset)
            report = examine(dataset)
            found = _examined[snapshot] = Examined(report, linked(report, dataset), now)
        return found


def stamp(dataset: Dataset) -> tuple[tuple[str, int, int], ...]:
    """What changes when a table, a folder of pictures or a feature table does."""
    names = [ITEMS_FILE, INTERACTIONS_FILE, "images", "features", DESCRIPTIONS_FOLDER]
    files = [dataset.path / name for name in names] + sorted(dataset.features_folder.glob("*.parquet"))
    return tuple((path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in files if path.exists())
