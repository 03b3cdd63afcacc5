"""The application: everything put together from settings."""

import contextlib
import secrets
from collections.abc import AsyncIterator

from fastapi import APIRouter, FastAPI
from starlette.staticfiles import StaticFiles

from viral.apps.serve import problems
from viral.apps.serve.ab_test import variants_of
from viral.apps.serve.api import explain, feedback, health, items, new_items, openapi, recommend
from viral.apps.serve.hot_reload import Live
from viral.apps.serve.metrics import RequestMetrics, ServerMetrics
from viral.apps.serve.pages import (
    api_docs,
    apply_edits,
    descriptions,
    doctor,
    experiments,
    explanation,
    gallery,
    home,
    item,
    login,
    map,
    new_item,
    pictures,
    user,
)
from viral.apps.serve.pages.rendering import STATIC, error_page
from viral.apps.serve.request_language import RequestLanguage
from viral.apps.serve.security.access import Gate
from viral.apps.serve.security.cors import Cors
from viral.apps.serve.security.request_guard import RequestGuard
from viral.apps.serve.security.tokens import read_tokens
from viral.apps.serve.settings import Settings
from viral.apps.serve.thread_pools import Pools
from viral.apps.serve.warm_up import WarmUp
from viral.apps.serve.watched_files import RulesFile, Stock

API = (
    recommend.router, items.similarity, explain.router, items.router, new_items.router, feedback.router, health.router,
    api_docs.router,
)  # fmt: skip
PAGES = (
    login, home, apply_edits, gallery, descriptions, user, explanation, item, new_item, pictures, map, experiments,
    doctor,
)  # fmt: skip
DESCRIPTION = """Recommendations of a run that `viral train` left, and why; similar items; new items; feedback.

Errors are `application/problem+json` (RFC 9457) with `status`, `title`, `detail` and, where known, `hint` and `errors`.
"""


def create_app(settings: Settings) -> FastAPI:
    """The application over a run; raises ``ViralError`` where the run or the tokens cannot be used."""
    tokens = None if settings.tokens is None else read_tokens(settings.tokens)
    gate = Gate(tokens, settings.secret or secrets.token_hex(32), settings.rate / settings.workers)
    metrics = ServerMetrics()
    live = Live(settings, metrics)
    app = FastAPI(
        title="VIRAL", version="1", description=DESCRIPTION, lifespan=_lifespan,
        openapi_url="/v1/openapi.json", docs_url=None, redoc_url=None,  # their pages load scripts from elsewhere
    )  # fmt: skip
    state = app.state
    state.settings, state.live, state.gate, state.metrics = settings, live, gate, metrics
    state.variants = variants_of(settings, live, metrics)
    state.warmth = WarmUp(live, on=settings.warm)
    state.stock = None if settings.stock is None else Stock(settings.stock, lambda: live.current.bundle.items)
    state.rules = None if settings.rules is None else RulesFile(settings.rules, lambda: live.current.retriever, metrics)
    problems.install(app, error_page)
    openapi.install(app, open_=tokens is None, kinds=settings.all_kinds)
    for router in API:
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.include_router(_pages())
    app.add_middleware(RequestGuard, settings=settings, gate=gate)
    app.add_middleware(RequestLanguage, default=settings.language)
    if settings.cors:
        app.add_middleware(Cors, origins=settings.cors)
    app.add_middleware(RequestMetrics, metrics=metrics)
    return app


def _pages() -> APIRouter:
    """The pages' routes, which are no part of the API's document."""
    found = APIRouter(include_in_schema=False)
    for page in PAGES:
        found.include_router(page.router)
    return found


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """The pools, and looks at what may change, for as long as requests come."""
    state = app.state
    state.pools = pools = Pools()
    seconds = state.settings.watch_seconds
    watched = [one.watching() for one in state.variants.all]
    watched += [file.watching(seconds) for file in (state.stock, state.rules) if file is not None]
    async with contextlib.AsyncExitStack() as beside:
        for one in [*watched, state.warmth.watching(pools, seconds)]:
            await beside.enter_async_context(one)
        yield
    pools.close()
