"""``/v1/feedback``: what users did, appended to a file before it is acknowledged."""

import time
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Request
from starlette.responses import Response

from viral.apps.serve.ab_test import Variants
from viral.apps.serve.api.examples import ACCEPTED
from viral.apps.serve.api.json_answers import as_json
from viral.apps.serve.api.openapi import answered, errors
from viral.apps.serve.api.request_models import FeedbackIn
from viral.apps.serve.api.response_models import FeedbackOut
from viral.apps.serve.hot_reload import current_snapshot
from viral.apps.serve.metrics import ServerMetrics
from viral.apps.serve.problems import Problem
from viral.apps.serve.security.access import changes
from viral.apps.serve.settings import Settings
from viral.apps.serve.thread_pools import pools
from viral.data.feedback import Event, Full, append

router = APIRouter(prefix="/v1", tags=["feedback"])
EXAMPLES = {
    "a purchase": {
        "value": {"events": [{"user_id": "u0001", "item_id": "p0001", "kind": "purchase", "timestamp": 1795533539}]}
    },
    "with its time and its variant": {
        "value": {
            "events": [
                {
                    "user_id": "u0001",
                    "item_id": "p0001",
                    "kind": "cart",
                    "timestamp": "2026-11-30T18:30:00+01:00",
                    "variant": "control",
                }
            ]
        }
    },
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
    snapshot, now = current_snapshot(request), int(time.time())
    settings: Settings = request.app.state.settings
    events = _events(told, settings, request.app.state.variants, now)

    def write() -> None:
        try:
            append(settings.feedback_file, events, max_bytes=settings.max_feedback)
        except Full as error:
            raise Problem(507, "the feedback file is full", hint=error.hint) from None

    await pools(request).writing.run(write)
    metrics: ServerMetrics = request.app.state.metrics
    for event in events:
        metrics.feedback.labels(event.kind, metrics.variant(event.variant)).inc()
    users, items = snapshot.bundle.users, snapshot.bundle.items
    counts = {
        "accepted": len(events),
        "unknown_users": sum(event.user_id not in users for event in events),
        "unknown_items": sum(event.item_id not in items for event in events),
    }
    return as_json(counts, 202)


def _events(told: FeedbackIn, settings: Settings, variants: Variants, now: int) -> list[Event]:
    """The events as they are kept; 422 for a kind that this server does not take."""
    for row, one in enumerate(told.events):
        if one.kind not in settings.all_kinds:
            hint = f"known: {', '.join(settings.all_kinds)}; more are added by: viral serve RUN --kind KIND"
            raise Problem(422, f"unknown kind {one.kind!r} of event {row}", hint=hint)
    return [
        Event(
            one.user_id, one.item_id, now if one.timestamp is None else int(one.timestamp), one.kind,
            one.variant or variants.of_user(one.user_id),
        )
        for one in told.events
    ]  # fmt: skip
