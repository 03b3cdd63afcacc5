"""``/v1/feedback``: what users did, appended to a file before it is acknowledged."""

import time
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Request
from starlette.responses import Response

from viral.feedback import Event, Full, append
from viral.serve.api.answers import FeedbackOut
from viral.serve.api.common import as_json, current, errors, work
from viral.serve.api.examples import ACCEPTED, answered
from viral.serve.api.schemas import FeedbackIn
from viral.serve.problems import Problem
from viral.serve.security.access import changes
from viral.serve.settings import Settings

router = APIRouter(prefix="/v1", tags=["feedback"])
EXAMPLES = {
    "a purchase": {
        "value": {"events": [{"user_id": "u0001", "item_id": "p0001", "kind": "purchase", "timestamp": 1795533539}]}
    }
}


@router.post(
    "/feedback",
    status_code=202,
    response_model=FeedbackOut,
    responses=errors(413, 507) | answered(ACCEPTED, 202),
    dependencies=[Depends(changes)],
)
async def feedback(request: Request, told: Annotated[FeedbackIn, Body(openapi_examples=EXAMPLES)]) -> Response:
    """Keep events for the next update (`viral feedback`); unknown ids are kept too, and counted."""
    snapshot, now = current(request), int(time.time())
    settings: Settings = request.app.state.settings
    events = [
        Event(one.user_id, one.item_id, now if one.timestamp is None else one.timestamp, one.kind)
        for one in told.events
    ]

    def write() -> None:
        try:
            append(settings.feedback_file, events, max_bytes=settings.max_feedback)
        except Full as error:
            raise Problem(507, "the feedback file is full", hint=error.hint) from None

    await work(request).writing.run(write)
    request.app.state.metrics.feedback.inc(len(events))
    users, items = snapshot.bundle.users, snapshot.bundle.items
    counts = {
        "accepted": len(events),
        "unknown_users": sum(event.user_id not in users for event in events),
        "unknown_items": sum(event.item_id not in items for event in events),
    }
    return as_json(counts, 202)
