"""``/healthz``: the process answers. ``/readyz``: and what from. ``/metrics``: how much and how fast."""

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel
from starlette.responses import Response

from viral.serve.api.examples import HEALTHY, METRICS, READY, answered
from viral.serve.live import Live
from viral.serve.metrics import Metrics
from viral.serve.security import require_read
from viral.serve.stock import Stock

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
        broken=live.broken or ("" if stock is None else stock.broken),
    )


@router.get(
    "/metrics",
    dependencies=[Depends(require_read)],
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}, "example": METRICS}}}},
)
async def metrics(request: Request) -> Response:
    """Prometheus' text format; of all workers together."""
    told: Metrics = request.app.state.metrics
    return Response(told.page(), media_type="text/plain; version=0.0.4; charset=utf-8")
