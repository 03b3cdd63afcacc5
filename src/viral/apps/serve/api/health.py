"""``/healthz``: the process answers. ``/readyz``, ``/v1/health``: and what from. ``/metrics``: how much, how fast."""

from typing import Any, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel
from starlette.responses import Response

from viral.apps.serve.ab_test import Variants
from viral.apps.serve.api.examples import HEALTH, HEALTHY, METRICS, READY
from viral.apps.serve.api.json_answers import as_json, stamp
from viral.apps.serve.api.openapi import answered, errors
from viral.apps.serve.api.response_models import Stamped
from viral.apps.serve.hot_reload import Live
from viral.apps.serve.metrics import ServerMetrics
from viral.apps.serve.security.access import require_read
from viral.apps.serve.watched_files import SHOWN, RulesFile, Stock

router = APIRouter(tags=["watching"])


class Healthy(BaseModel):
    """Answering."""

    status: str = "ok"


class Ready(BaseModel):
    """What is served."""

    ready: bool = True
    bundle: str  # of the manifest
    model: str
    users: int
    items: int
    loaded: float  # seconds since 1970
    reloads: int
    recall: float  # of the exact best 20 items, the share that the search finds; 1 unless it is approximate
    stock: int | None  # ids in the file of the stock; null where there is none
    broken: str  # why what lies on the disk now, bundle or stock, is not what is served; empty where it is


@router.get("/healthz", responses=answered(HEALTHY))
async def healthz() -> Healthy:
    """The process answers."""
    return Healthy()


@router.get("/readyz", responses=answered(READY))
async def readyz(request: Request) -> Ready:
    """A bundle is loaded; a broken new one is told, and the old one goes on."""
    live: Live = request.app.state.live
    snapshot = live.current
    bundle = snapshot.bundle
    stock: Stock | None = request.app.state.stock
    return Ready(
        bundle=snapshot.etag,
        model=str(bundle.about.get("model", "")),
        users=len(bundle.users),
        items=len(bundle.items),
        loaded=snapshot.loaded,
        reloads=live.reloads,
        recall=snapshot.retriever.recall,
        stock=None if stock is None else len(stock),
        broken=next(iter(broken_now(request)), ""),
    )


class RulesHealth(BaseModel):
    """The shop's rules."""

    pins: int
    boosts: int  # rules that raise or lower
    max_per_category: int | None
    less_popular: float  # what being popular costs
    reloads: int
    unknown: list[str]  # the first of what they name and the run does not know
    num_unknown: int
    broken: str  # why the file as it is now is not what holds; empty where it is


class VariantHealth(Stamped):
    """What answers the users of a variant."""

    broken: str


class Health(Stamped):
    """What is served, and what of it is not as it should be."""

    status: Literal["ok", "degraded"]
    broken: list[str]  # why what lies on the disk now is not what is served
    users: int
    items: int
    loaded: float  # seconds since 1970
    reloads: int
    recall: float
    stock: int | None
    rules: RulesHealth | None
    variants: dict[str, VariantHealth]
    exposure: dict[str, Any] | None  # how unevenly items are recommended, as training measured it


@router.get(
    "/v1/health", response_model=Health, responses=errors() | answered(HEALTH), dependencies=[Depends(require_read)]
)
async def health(request: Request) -> Response:
    """Everything at a glance; `status` is `degraded` where an older bundle, stock or file of rules goes on."""
    ready, broken = await readyz(request), broken_now(request)
    rules: RulesFile | None = request.app.state.rules
    variants: Variants = request.app.state.variants
    snapshot = request.app.state.live.current
    kept = ready.model_dump(include={"users", "items", "loaded", "reloads", "recall", "stock"})
    return as_json(
        stamp(snapshot)
        | {"status": "degraded" if broken else "ok", "broken": broken}
        | kept
        | {
            "rules": None if rules is None else _rules(rules),
            "variants": {name: stamp(live.current) | {"broken": live.broken} for name, live in variants.lives.items()},
            "exposure": snapshot.bundle.about.get("exposure"),
        }
    )


def _rules(file: RulesFile) -> dict[str, Any]:
    rules, unknown = file.value, file.unknown()
    return {
        "pins": len(rules.pins), "boosts": len(rules.shifts), "max_per_category": rules.max_per_category,
        "less_popular": rules.less_popular,
        "reloads": file.reloads, "unknown": list(unknown[:SHOWN]), "num_unknown": len(unknown), "broken": file.broken,
    }  # fmt: skip


def broken_now(request: Request) -> list[str]:
    """Why what lies on the disk now is not what is served: bundles, stock, rules."""
    state = request.app.state
    told = [state.live.broken]
    others = {name: one for name, one in state.variants.lives.items() if one is not state.live}
    told += [f"variant {name}: {one.broken}" for name, one in others.items() if one.broken]
    told += [file.broken for file in (state.stock, state.rules) if file is not None]
    return [one for one in told if one]


@router.get(
    "/metrics",
    dependencies=[Depends(require_read)],
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}, "example": METRICS}}}},
)
async def metrics(request: Request) -> Response:
    """Prometheus' text format; of all workers together."""
    told: ServerMetrics = request.app.state.metrics
    return Response(told.page(), media_type="text/plain; version=0.0.4; charset=utf-8")
