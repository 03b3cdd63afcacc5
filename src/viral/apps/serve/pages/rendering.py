"""Pages from templates: their environment, the filters in it, addresses of pages, and lists in pages."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlencode

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, Response

from viral.apps.serve.problems import Problem
from viral.base.language import ENGLISH, LANGUAGES, _, current, gettext, marked, ngettext
from viral.lab.report import wording
from viral.lab.report.figures.part_bars import part_span, part_stack, part_tone
from viral.lab.report.values import Part

T = TypeVar("T")
HERE = Path(__file__).parent
STATIC = HERE / "static"
WORDS = {  # that the shared script says
    "did_not_work": marked("That did not work."),
    "no_answer": marked("The server does not answer. Is it still running?"),
    "copied": marked("Copied"),
}
ID = 24  # characters of an id that are shown whole
TAIL = 6  # of its end that stay
AROUND = 2  # numbers of pages shown on either side of the current one
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DOUBT = "may be|might be|could be|looks like|appears to be|seems to be|possibly|perhaps|probably|maybe"
_HEDGED = re.compile(
    rf"\b(?:{_DOUBT})\b(?:(?!\b(?:and|with|in|on|that|which)\b)[^.,;:!?\n]){{0,60}}"
    r"|(?:可能|也许|或许|大概|似乎|看起来像|疑似)[^。，；：、！？\n]{0,24}",
    re.IGNORECASE,
)
_COMMAND = re.compile(r"(?<=\s)viral (?=enrich |update |serve |encode )")
_MARKED = Markup('<mark class="unsure">{}</mark>')


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
    plain = (wording.shown, wording.fixed, wording.percent, wording.score, wording.whole, quoted)
    for filter_ in (*plain, translated, spoken, short_id, hedged, with_command, when, clock, study_name):
        made.filters[filter_.__name__] = filter_
    made.globals |= {
        "address": address, "part_stack": part_stack, "span_of": span_of, "part_tone": part_tone,
        "languages": LANGUAGES,
    }  # fmt: skip
    return made


def render(request: Request, template: str, *, code: int = 200, **context: Any) -> HTMLResponse:
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
    return HTMLResponse(environment().get_template(template).render(common | context), code)


def error_page(
    request: Request, status: int, detail: str, *, hint: str, errors: Sequence[Mapping[str, str]],
    headers: Mapping[str, str],
) -> Response:  # fmt: skip
    """What people see of an error."""
    told = {"title": HTTPStatus(status).phrase, "detail": detail, "hint": hint, "errors": errors}
    page = render(request, "error.html", code=status, status=status, **told)
    page.headers.update(headers)
    return page


def is_partial(request: Request) -> bool:
    """Whether htmx asks for a part of a page."""
    return "hx-request" in request.headers


def _here_in(request: Request, language: str) -> str:
    """The address of this page in another language."""
    path = quote("/" + request.url.path.lstrip("/"))
    return f"{path}?{request.url.include_query_params(lang=language).query}"


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


def quoted(external: str) -> str:
    """An id as a part of a path, slashes and all."""
    return quote(external, safe="")


def address(path: str, given: Mapping[str, object], **changed: object) -> str:
    """A path with its query, in which some values are changed; empty ones, and page 1, are left out."""
    values = (dict(given) | changed).items()
    merged = {name: value for name, value in values if value is not False and value not in ("", None)}  # 0 is kept
    if merged.get("page") == 1:
        del merged["page"]
    return f"{path}?{urlencode(merged)}" if merged else path


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a long list; numbers from 1."""

    rows: Sequence[T]
    number: int
    pages: int
    total: int

    @classmethod
    def of(cls, rows: Sequence[T], number: str, size: int) -> "Page[T]":
        """The page with that number, or the nearest one there is; what is no number is the first."""
        pages = max(1, -(-len(rows) // size))
        wanted = int(number) if number.isascii() and number.isdigit() and len(number) < 10 else 1
        chosen = min(max(1, wanted), pages)
        return cls(rows[(chosen - 1) * size : chosen * size], chosen, pages, len(rows))

    @property
    def numbers(self) -> list[int | None]:
        """The numbers to offer, in order; None where some are left out."""
        near = {1, self.pages, *range(max(1, self.number - AROUND), min(self.pages, self.number + AROUND) + 1)}
        shown: list[int | None] = []
        for one in sorted(near):
            if shown and shown[-1] != one - 1:
                shown.append(None)
            shown.append(one)
        return shown


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


def short_id(external: str, limit: int = ID) -> str:
    """An id on one line: whole where it is short, else its begin and its end, which tell ids of one kind apart."""
    line = wording.shown(external, 4 * max(len(external), 1))
    return line if len(line) <= limit else f"{line[: limit - TAIL - 1]}…{line[-TAIL:]}"


def hedged(text: str) -> Markup:
    """A text with what its writer was not sure of marked; all of it is escaped."""
    parts, end = [], 0
    for match in _HEDGED.finditer(text):
        stop = match.start() + len(match[0].rstrip())
        parts += [escape(text[end : match.start()]), _MARKED.format(text[match.start() : stop])]
        end = stop
    return Markup("").join([*parts, escape(text[end:])])


def with_command(text: str) -> Markup:
    """A sentence that ends with what to type, which is set apart."""
    told, command = _COMMAND.split(text, maxsplit=1) if _COMMAND.search(text) else (text, "")
    return escape(told) + (Markup("<code>viral {}</code>").format(command) if command else "")


def when(seconds: float | None) -> str:
    """A moment on this machine's clock, as people write it in the current language."""
    if seconds is None:
        return "–"
    at = datetime.fromtimestamp(seconds)
    if current() == "zh":
        return f"{at.year}年{at.month}月{at.day}日 {at:%H:%M}"
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}, {at:%H:%M}"


def clock(seconds: float) -> str:
    """The time of day on this machine's clock."""
    return f"{datetime.fromtimestamp(seconds):%H:%M}"
