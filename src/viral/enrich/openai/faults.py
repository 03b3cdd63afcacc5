"""What can go wrong between us and a server, and what each kind of fault ends: an attempt, a picture or the run."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from viral.base.errors import ViralError
from viral.enrich.base import Refused
from viral.enrich.openai.chat import read_error
from viral.enrich.openai.config import OpenAIConfig

_PASSES = {408, 409, 425, 429}
_WRONG = {
    401: "put the server's API key into the environment variable {variable}",
    402: "the account has no money left",
    403: "the API key (environment variable {variable}) may not use this model or server",
    404: "check url and model: does the server offer {model}?",
    405: "check url: it should end in /v1, or wherever the server has /chat/completions",
}


class NoAnswer(Exception):
    """A picture that could not be described this time."""


class Again(Exception):
    """An attempt that failed, as another may not. ``after``: seconds to wait that the server asked for."""

    def __init__(self, what: str, *, after: float | None = None, reached: bool = True) -> None:
        super().__init__(what)
        self.after, self.reached = after, reached


class BadRequest(NoAnswer):
    """The server did not take this request (400 and the like): it will not take the same one again."""


def fault_of(
    config: OpenAIConfig, status: int, headers: Mapping[str, str], body: bytes, secret: str
) -> Again | BadRequest | Refused | ViralError:
    """The fault that an answer other than 200 stands for. A ``ViralError`` is one of the whole run."""
    code, message = read_error(body, secret)
    said = f"HTTP {status}" + (f" ({message})" if message else "")
    if 300 <= status < 400:
        hint = "redirects are not followed, as they would take the API key with them: set url to where it leads"
        return ViralError(f"the server sends us elsewhere: {said}", where=config.endpoint, hint=hint)
    if status in _WRONG or code == "insufficient_quota":
        hint = _WRONG.get(status, _WRONG[402]).format(variable=config.api_key_env, model=config.model)
        return ViralError(f"the server refuses us: {said}", where=config.endpoint, hint=hint)
    if status in _PASSES or status >= 500:
        return Again(said, after=_retry_after(headers.get("retry-after", "")))
    if code == "content_filter":
        return Refused(f"the server's content filter: {message}")
    return BadRequest(said)


def _retry_after(text: str) -> float | None:
    """Seconds, from a number of them or from a date; ``None`` where it is neither."""
    try:
        seconds = float(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return None
        seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return seconds if 0 <= seconds < float("inf") else None
