"""The web page: HTML made here from templates, by routers of one file per page."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from viral.report import wording
from viral.report.bars import part_span, part_stack, part_tone
from viral.report.values import Part
from viral.serve.pages.links import address, quoted
from viral.serve.problems import Problem

HERE = Path(__file__).parent
STATIC = HERE / "static"


def router() -> APIRouter:
    """The pages' routes, not part of the API's document."""
    from viral.serve.pages import descriptions, doctor, experiments, gallery, item, map, new, pictures, user, why

    found = APIRouter(include_in_schema=False)
    for page in (gallery, descriptions, user, why, item, new, pictures, map, experiments, doctor):
        found.include_router(page.router)
    return found


@cache
def environment() -> Environment:
    """The templates; whatever is put into one is escaped."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for filter_ in (wording.shown, wording.fixed, wording.percent, wording.score, wording.whole, quoted):
        made.filters[filter_.__name__] = filter_
    made.globals |= {
        "address": address, "part_stack": part_stack, "span_of": span_of, "part_tone": part_tone,
        "evidence_bar": evidence_bar,
    }  # fmt: skip
    return made


def render(request: Request, template: str, **context: Any) -> HTMLResponse:
    """A page of a template with ``request`` and ``snapshot`` beside what it is given."""
    theme = request.cookies.get("theme")
    common = {
        "request": request,
        "snapshot": request.app.state.live.current,
        "theme": theme if theme in ("light", "dark") else "",
        "has_tokens": request.app.state.gate.tokens is not None,
        "reader": may(request, "read"),
        "admin": may_edit(request),
    }
    return HTMLResponse(environment().get_template(template).render(common | context))


def span_of(parts: Sequence[Part]) -> tuple[float, float]:
    """The scale on which each part has a bar of its own."""
    return part_span([[part] for part in parts])


def evidence_bar(share: float, span: tuple[float, float]) -> Markup:
    """What one item of the history adds, drawn on the scale of all of them."""
    return part_stack([Part("evidence", share)], span)


def may(request: Request, scope: str) -> bool:
    """Whether the session is one of that scope."""
    try:
        request.app.state.gate.key(request, None, scope)
    except Problem:
        return False
    return True


def may_edit(request: Request) -> bool:
    """Whether whoever looks at the page may also change what it shows."""
    return may(request, "admin")
