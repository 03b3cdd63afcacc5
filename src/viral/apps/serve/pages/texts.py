"""Filters of the templates for texts of the shop: long ids, times, and words that their writer was not sure of."""

import re
from datetime import datetime

from markupsafe import Markup, escape

from viral.base.language import current
from viral.lab.report.wording import shown

ID = 24  # characters of an id that are shown whole
TAIL = 6  # of its end that stay
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DOUBT = "may be|might be|could be|looks like|appears to be|seems to be|possibly|perhaps|probably|maybe"
_HEDGED = re.compile(
    rf"\b(?:{_DOUBT})\b(?:(?!\b(?:and|with|in|on|that|which)\b)[^.,;:!?\n]){{0,60}}"
    r"|(?:可能|也许|或许|大概|似乎|看起来像|疑似)[^。，；：、！？\n]{0,24}",
    re.IGNORECASE,
)
_COMMAND = re.compile(r"(?<=\s)viral (?=enrich |update |serve |encode )")
_MARKED = Markup('<mark class="unsure">{}</mark>')


def short_id(external: str, limit: int = ID) -> str:
    """An id on one line: whole where it is short, else its begin and its end, which tell ids of one kind apart."""
    line = shown(external, 4 * max(len(external), 1))
    if len(line) <= limit:
        return line
    return f"{line[: limit - TAIL - 1]}…{line[-TAIL:]}"


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
