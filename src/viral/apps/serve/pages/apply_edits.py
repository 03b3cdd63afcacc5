"""Edited descriptions, counted, and applied to the model by one button, which tells how far it is."""

import time
from typing import Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from viral.apps.serve.background_update import BackgroundUpdate, UpdateProgress
from viral.apps.serve.hot_reload import current_snapshot
from viral.apps.serve.pages.item_cards import ItemCards, cards_of
from viral.apps.serve.pages.rendering import is_partial, may_edit, render
from viral.apps.serve.security.access import asks, changes
from viral.apps.serve.snapshot import Snapshot
from viral.apps.serve.thread_pools import pools
from viral.base.errors import UsageError
from viral.base.language import _, marked

router = APIRouter(prefix="/apply", include_in_schema=False)
STEPS = {  # of an update, as they are told
    "": marked("Starting …"),
    "describe": marked("Step 1 of 3: encoding what has changed …"),
    "train": marked("Step 2 of 3: training the model on it …"),
    "measure": marked("Step 3 of 3: measuring the new model and putting it in place …"),
}
TOLD = 24 * 3600  # seconds for which the end of an update is told
METRIC = "recall@20"


@router.get("", dependencies=[Depends(asks)])
def show(request: Request) -> Response:
    """The counter and the button, or how far it is: a part of a page; for a plain browser the start page."""
    if not is_partial(request):
        return RedirectResponse("/", 303)
    cards = cards_of(current_snapshot(request))
    return render(request, "_apply.html", apply=state_of(request, cards))


@router.post("", dependencies=[Depends(changes)])
async def start(request: Request) -> Response:
    """Begin to take the changed words in."""

    def begin() -> Response:
        snapshot = current_snapshot(request)
        if snapshot.dataset is None:
            raise UsageError("edits are kept in the data set", hint="viral serve RUN --dataset DATASET")
        _background(request).start(snapshot.dataset.path)
        if not is_partial(request):
            return RedirectResponse("/", 303)
        return render(request, "_apply.html", apply=state_of(request, cards_of(snapshot)))

    return await pools(request).writing.run(begin)


def _background(request: Request) -> BackgroundUpdate:
    settings = request.app.state.settings
    return BackgroundUpdate(settings.run, settings.describer)


def state_of(request: Request, cards: ItemCards) -> dict[str, Any]:
    """What the template of the button is given."""
    background, live = _background(request), request.app.state.live
    now = background.look()
    taken_up = _taken_up(now, live.current)
    recent = now.state in ("done", "failed") and time.time() - now.ended < TOLD
    return {
        "waiting": len(cards.waiting) if cards.dataset is not None else 0,
        "reads_words": cards.bundle.material.described is not None,
        "running": now.state == "running" or (now.state == "done" and not taken_up and not live.broken),
        "step": _(STEPS.get(now.step, STEPS[""])) if now.state == "running" else _("The server takes it up …"),
        "seconds": max(0, round(time.time() - now.started)),
        "now": now if recent else UpdateProgress(),
        "recall": _recall(now),
        "broken": live.broken if now.state == "done" and not taken_up else "",
        "allowed": may_edit(request) and cards.dataset is not None and not background.fault(),
        "fault": background.fault() if cards.dataset is not None else "",
    }


def _taken_up(now: UpdateProgress, snapshot: Snapshot) -> bool:
    """Whether the bundle that was made is served, or a later one."""
    made = now.summary.get("identity")
    return now.state != "done" or snapshot.bundle.about.get("identity") == made or snapshot.loaded > now.ended


def _recall(now: UpdateProgress) -> tuple[float | None, float | None]:
    """The metric after the update and before it."""
    before = now.summary.get("update", {}).get("before", {}).get("metrics", {})
    return now.summary.get("metrics", {}).get(METRIC), before.get(METRIC)
