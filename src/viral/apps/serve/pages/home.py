"""The start page: is it working? The data, the last training, today, what is recommended, and what waits."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from viral.apps.serve.api.health import broken_now
from viral.apps.serve.hot_reload import current_snapshot
from viral.apps.serve.pages.apply_edits import state_of
from viral.apps.serve.pages.doctor import examined_of
from viral.apps.serve.pages.item_cards import UNTRAINED, cards_of
from viral.apps.serve.pages.rendering import is_partial, render
from viral.apps.serve.security.access import asks, asks_much
from viral.apps.serve.snapshot import Snapshot, bundle_folder
from viral.apps.serve.thread_pools import pools
from viral.base.language import marked
from viral.run.bundle import MANIFEST_FILE

router = APIRouter(include_in_schema=False)
MOVED = ("q", "status", "category", "sort", "page")  # of the gallery, which was here once
MUCH, POPULAR = 0.25, 2.0  # of the users have the same item first; times as popular as their history: it is told
METRICS = {
    "recall@20": marked("of what users chose later, found among their first 20"),
    "ndcg@20": marked("the same, counting more the further in front (NDCG@20)"),
}
READ = 8_000_000  # bytes of the end of the file: some 80,000 events
_TIME = re.compile(rb'"timestamp": (\d{1,15})')


class Counted(NamedTuple):
    """How many events, and whether there may be more."""

    events: int
    least: bool  # the file's end did not reach back to midnight


@dataclass(frozen=True, slots=True)
class HomeMetric:
    """One metric of the run that is served, and of the one before."""

    name: str
    meaning: str
    now: float
    before: float | None

    @property
    def change(self) -> float | None:
        return None if self.before is None else self.now - self.before


@router.get("/", dependencies=[Depends(asks)])
def home(request: Request) -> Response:
    """All of it but the examination of the data, which the page asks for."""
    if any(name in request.query_params for name in MOVED):
        return RedirectResponse(f"/gallery?{request.url.query}", 308)
    snapshot = current_snapshot(request)
    cards, about = cards_of(snapshot), snapshot.bundle.about
    return render(
        request, "home.html", cards=cards, faults=broken_now(request), measured=_measured(about), when=_when(request),
        other_test=_other_test(about), shown=_shown(snapshot), today=_today(request),
        new_items=cards.labels.get(UNTRAINED, 0), apply=state_of(request, cards),
    )  # fmt: skip


@router.get("/home/data", dependencies=[Depends(asks_much)])
async def health(request: Request) -> Response:
    """What the doctor found, in one line: a part of the start page; for a plain browser the doctor's page."""
    if not is_partial(request):
        return RedirectResponse("/doctor", 303)
    snapshot = current_snapshot(request)

    def made() -> Response:
        found = None if snapshot.dataset is None else examined_of(snapshot, snapshot.dataset)
        return render(request, "_health.html", examined=found)

    return await pools(request).long.run(made)


def _measured(about: Mapping[str, Any]) -> list[HomeMetric]:
    """The metrics that are known of the run."""
    now, before = about.get("metrics") or {}, _before(about).get("metrics") or {}
    return [HomeMetric(name, meaning, now[name], before.get(name)) for name, meaning in METRICS.items() if name in now]


def _before(about: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is kept of the run that was trained on from."""
    found: Mapping[str, Any] = about.get("update", {}).get("before", {})
    return found


def _other_test(about: Mapping[str, Any]) -> bool:
    """Whether the run before was measured on another test set."""
    before, now = _before(about).get("tested_on"), about.get("tested_on")
    return bool(before and now and before.get("fingerprint") != now.get("fingerprint"))


def _when(request: Request) -> float | None:
    """When the bundle that lies there was written."""
    try:
        return (bundle_folder(request.app.state.settings.run) / MANIFEST_FILE).stat().st_mtime
    except OSError:
        return None


def _shown(snapshot: Snapshot) -> dict[str, Any]:
    """How recommendations are shared out among the items, as training measured it (:mod:`viral.evaluation.exposure`).

    Of runs from before that was kept, the coverage alone.
    """
    about = snapshot.bundle.about
    told: Mapping[str, Any] = about.get("exposure") or {}
    if "most_item" not in told:
        coverage = (about.get("metrics") or {}).get("coverage@20")
        return {} if coverage is None else {"k": 20, "coverage": coverage}
    times = told["recommended"] / told["taken"] if told["taken"] else None
    leans = told["most"] >= MUCH or (times or 0) >= POPULAR
    return {**told, "times": times, "leans": leans}


def _today(request: Request) -> dict[str, Any]:
    """Requests to the API and events of feedback since midnight, or since the server started."""
    metrics, now = request.app.state.metrics, time.time()
    return {
        "answers": metrics.of_day(date.today().isoformat()),
        "since": metrics.started if metrics.started > midnight(now) else None,
        "feedback": feedback_of_today(request.app.state.settings.feedback_file, now),
    }


def midnight(now: float) -> float:
    """The begin of the day on this machine's clock."""
    return datetime.fromtimestamp(now).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()


def feedback_of_today(file: Path, now: float) -> Counted:
    """Events whose time is of today; none of a file that is not there."""
    try:
        with file.open("rb") as lines:
            size = lines.seek(0, 2)
            lines.seek(max(0, size - READ))
            times = [int(one) for one in _TIME.findall(lines.read())]
    except OSError:
        return Counted(0, False)
    since = midnight(now)
    found = sum(since <= one <= now + 60 for one in times)
    return Counted(found, size > READ and found == len(times))
