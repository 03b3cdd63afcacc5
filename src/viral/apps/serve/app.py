"""The application: everything put together from settings."""

import contextlib
import secrets
from collections.abc import AsyncIterator

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from viral.apps.serve import api, login, pages, problems
from viral.apps.serve.api import document
from viral.apps.serve.live import Live
from viral.apps.serve.metrics import Metrics, Observed
from viral.apps.serve.rules import RulesFile
from viral.apps.serve.security.access import Gate
from viral.apps.serve.security.cors import Cors
from viral.apps.serve.security.guard import Guard
from viral.apps.serve.security.tokens import read_tokens
from viral.apps.serve.settings import Settings
from viral.apps.serve.spoken import Spoken
from viral.apps.serve.stock import Stock
from viral.apps.serve.variants import variants_of
from viral.apps.serve.warm import Warmth
from viral.apps.serve.work import Work

DESCRIPTION = """Recommendations of a run that `viral train` left, and why; similar items; new items; feedback.

Errors are `application/problem+json` (RFC 9457) with `status`, `title`, `detail` and, where known, `hint` and `errors`.
"""


def create_app(settings: Settings) -> FastAPI:
    """The application over a run; raises ``ViralError`` where the run or the tokens cannot be used."""
    tokens = None if settings.tokens is None else read_tokens(settings.tokens)
    gate = Gate(tokens, settings.secret or secrets.token_hex(32), settings.rate / settings.workers)
    metrics = Metrics()
    live = Live(settings, metrics)
    variants = variants_of(settings, live, metrics)
    warmth = Warmth(live, on=settings.warm)
    stock = None if settings.stock is None else Stock(settings.stock, lambda: live.current.bundle.items)
    rules = None if settings.rules is None else RulesFile(settings.rules, lambda: live.current.retriever, metrics)
    app = FastAPI(
        title="VIRAL", version="1", description=DESCRIPTION, lifespan=_lifespan,
        openapi_url="/v1/openapi.json", docs_url=None, redoc_url=None,  # their pages load scripts from elsewhere
    )  # fmt: skip
    app.state.settings, app.state.live, app.state.gate = settings, live, gate
    app.state.metrics, app.state.stock, app.state.warmth = metrics, stock, warmth
    app.state.rules, app.state.variants = rules, variants
    problems.install(app)
    document.install(app, open_=tokens is None, kinds=settings.all_kinds)
    app.include_router(api.router())
    app.include_router(login.router)
    app.mount("/static", StaticFiles(directory=pages.STATIC), name="static")
    app.include_router(pages.router())
    app.add_middleware(Guard, settings=settings, gate=gate)
    app.add_middleware(Spoken, default=settings.language)
    if settings.cors:
        app.add_middleware(Cors, origins=settings.cors)
    app.add_middleware(Observed, metrics=metrics)
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """The pools, and looks at what may change, for as long as requests come."""
    state = app.state
    state.work = work = Work()
    seconds = state.settings.watch_seconds
    watched = [one.watching() for one in state.variants.all]
    watched += [file.watching(seconds) for file in (state.stock, state.rules) if file is not None]
    async with contextlib.AsyncExitStack() as beside:
        for one in [*watched, state.warmth.watching(work, seconds)]:
            await beside.enter_async_context(one)
        yield
    work.close()
