"""The application: everything put together from settings."""

import contextlib
import secrets
from collections.abc import AsyncIterator

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from viral.serve import api, login, pages, problems
from viral.serve.api import document
from viral.serve.live import Live
from viral.serve.metrics import Metrics, Observed
from viral.serve.security.access import Gate
from viral.serve.security.guard import Guard
from viral.serve.security.tokens import read_tokens
from viral.serve.settings import Settings
from viral.serve.spoken import Spoken
from viral.serve.stock import Stock
from viral.serve.warm import Warmth
from viral.serve.work import Work

DESCRIPTION = """Recommendations of a run that `viral train` left, and why; similar items; new items; feedback.

Errors are `application/problem+json` (RFC 9457) with `status`, `title`, `detail` and, where known, `hint` and `errors`.
"""


def create_app(settings: Settings) -> FastAPI:
    """The application over a run; raises ``ViralError`` where the run or the tokens cannot be used."""
    tokens = None if settings.tokens is None else read_tokens(settings.tokens)
    gate = Gate(tokens, settings.secret or secrets.token_hex(32), settings.rate / settings.workers)
    metrics = Metrics()
    live = Live(settings, metrics)
    warmth = Warmth(live, on=settings.warm)
    stock = None if settings.stock is None else Stock(settings.stock, lambda: live.current.bundle.items)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.work = work = Work()
        looking = contextlib.nullcontext() if stock is None else stock.watching(settings.watch_seconds)
        async with live.watching(), looking, warmth.watching(work, settings.watch_seconds):
            yield
        work.close()

    app = FastAPI(
        title="VIRAL", version="1", description=DESCRIPTION, lifespan=lifespan,
        openapi_url="/v1/openapi.json", docs_url=None, redoc_url=None,  # their pages load scripts from elsewhere
    )  # fmt: skip
    app.state.settings, app.state.live, app.state.gate = settings, live, gate
    app.state.metrics, app.state.stock, app.state.warmth = metrics, stock, warmth
    problems.install(app)
    document.install(app, open_=tokens is None)
    app.include_router(api.router())
    app.include_router(login.router)
    app.mount("/static", StaticFiles(directory=pages.STATIC), name="static")
    app.include_router(pages.router())
    app.add_middleware(Guard, settings=settings, open_=tokens is None)
    app.add_middleware(Spoken, default=settings.language)
    app.add_middleware(Observed, metrics=metrics)
    return app
