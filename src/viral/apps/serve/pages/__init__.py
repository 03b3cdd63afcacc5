"""The web page: HTML made here from templates, by routers of one file per page."""

from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from starlette.responses import HTMLResponse

from viral.apps.serve.pages import texts
from viral.apps.serve.pages.links import address, quoted
from viral.apps.serve.problems import Problem
from viral.base.language import ENGLISH, LANGUAGES, _, current, gettext, marked, ngettext
from viral.lab.report import wording
from viral.lab.report.bars import part_span, part_stack, part_tone
from viral.lab.report.values import Part

HERE = Path(__file__).parent
STATIC = HERE / "static"
WORDS = {  # that the shared script says
    "did_not_work": marked("That did not work."),
    "no_answer": marked("The server does not answer. Is it still running?"),
    "copied": marked("Copied"),
}


def router() -> APIRouter:
    """The pages' routes, not part of the API's document."""
    from viral.apps.serve.pages import (
        apply,
        descriptions,
        doctor,
        experiments,
        gallery,
        home,
        item,
        map,
        new,
        pictures,
        user,
        why,
    )

    found = APIRouter(include_in_schema=False)
    for page in (home, apply, gallery, descriptions, user, why, item, new, pictures, map, experiments, doctor):
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
        extensions=["jinja2.ext.i18n"],
    )
    made.policies["ext.i18n.trimmed"] = True
    # Marked sentences are trusted as markup: what comes from data is translated by the filter ``translated`` alone.
    made.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    made.filters |= {"translated": translated, "spoken": spoken}
    plain = (wording.shown, wording.fixed, wording.percent, wording.score, wording.whole, quoted)
    for filter_ in (*plain, texts.short_id, texts.hedged, texts.with_command, texts.when, texts.clock, study_name):
        made.filters[filter_.__name__] = filter_
    made.globals |= {
        "address": address, "part_stack": part_stack, "span_of": span_of, "part_tone": part_tone,
        "languages": LANGUAGES,
    }  # fmt: skip
    return made


def render(request: Request, template: str, **context: Any) -> HTMLResponse:
    """A page of a template with ``request`` and ``snapshot`` beside what it is given."""
    theme = request.cookies.get("theme")
    common = {
        "request": request,
        "snapshot": request.app.state.live.current,
        "language": current(),
        "here_in": partial(_here_in, request),
        "script_words": {name: gettext(sentence) for name, sentence in WORDS.items()},
        "theme": theme if theme in ("light", "dark") else "",
        "has_tokens": request.app.state.gate.tokens is not None,
        "reader": may(request, "read"),
        "admin": may_edit(request),
    }
    return HTMLResponse(environment().get_template(template).render(common | context))


def _here_in(request: Request, language: str) -> str:
    """The address of this page in another language."""
    path = quote("/" + request.url.path.lstrip("/"))
    return f"{path}?{request.url.include_query_params(lang=language).query}"


@pass_context  # else the template's compiler would translate what is constant, once and for all
def translated(_: Context, sentence: str) -> str:
    """A sentence or a name that is no constant of the template, in the current language; escaped as all text is."""
    return gettext(sentence)


@pass_context
def spoken(_: Context, sentence: str) -> str:
    """The same; what is known in English alone is marked as English, so that it is read aloud as such."""
    found = gettext(sentence)
    foreign = current() != ENGLISH and found == sentence and any(char.isalpha() for char in sentence)
    return Markup('<span lang="en">{}</span>').format(sentence) if foreign else found


def study_name(name: str) -> str:
    """The name of a study or a run as it is; the one that is served has none of its own."""
    return _("this run") if name == "this run" else name


def span_of(parts: Sequence[Part]) -> tuple[float, float]:
    """The scale on which each part has a bar of its own."""
    return part_span([[part] for part in parts])


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
