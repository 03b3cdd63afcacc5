"""The web page: HTML made here from templates, by routers of one file per page."""

from functools import cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.responses import HTMLResponse

HERE = Path(__file__).parent
STATIC = HERE / "static"


def router() -> APIRouter:
    """The pages' routes, not part of the API's document."""
    return APIRouter(include_in_schema=False)


@cache
def environment() -> Environment:
    """The templates; whatever is put into one is escaped."""
    return Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(request: Request, template: str, **context: Any) -> HTMLResponse:
    """A page of a template with ``request`` and ``snapshot`` beside what it is given."""
    common = {"request": request, "snapshot": request.app.state.live.current}
    return HTMLResponse(environment().get_template(template).render(common | context))
