"""The wire: what is posted to ``/chat/completions``, what comes back, and what each kind of fault ends.

A fault ends an attempt, a picture or the run.
"""

import base64
import json
import time
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from viral.base.errors import ViralError
from viral.enrich.openai.config import OpenAIConfig
from viral.enrich.prompts import render
from viral.enrich.protocol import Prompt, Refused

_HERE = "picture goes here"
_QUOTED = 200  # characters of what a server says of an error
_PASSES = {408, 409, 425, 429}
_WRONG = {
    401: "put the server's API key into the environment variable {variable}",
    402: "the account has no money left",
    403: "the API key (environment variable {variable}) may not use this model or server",
    404: "check url and model: does the server offer {model}?",
    405: "check url: it should end in /v1, or wherever the server has /chat/completions",
}
_MAX_ANSWER = 4_000_000  # bytes
_CONNECT = 10.0  # seconds at most


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came; ``text`` may be empty."""

    text: str
    finish: str  # "stop", "length", "content_filter", …
    refusal: str
    tokens_in: int
    tokens_out: int
    counted: bool  # whether the server told the tokens


def request(config: OpenAIConfig, prompt: Prompt, title: str, data: bytes, media: str, *, schema: bool) -> bytes:
    """The body of a request, as JSON; the picture goes as bytes in a data URL, and no other URL goes at all."""
    image: dict[str, str] = {"url": _HERE}
    if config.detail:
        image["detail"] = config.detail
    content = [{"type": "image_url", "image_url": image}, {"type": "text", "text": render(prompt, title)}]
    body: dict[str, Any] = {
        "messages": [{"role": "user", "content": content}],
        "model": config.model,
        config.max_tokens_field: config.max_tokens,
    }
    if config.temperature is not None:
        body["temperature"] = config.temperature
    if schema:
        strict = {"name": "answer", "strict": True, "schema": prompt.schema}
        body["response_format"] = {"type": "json_schema", "json_schema": strict}
    # A picture may have 20 MB: it is put into the finished JSON, of which its place is the first such mark.
    before, _, after = json.dumps(body).encode("ascii").partition(_HERE.encode("ascii"))
    return b"".join((before, f"data:{media};base64,".encode("ascii"), base64.b64encode(data), after))


def read_reply(body: bytes) -> Reply:
    """The first choice of a body; raises ``ValueError`` where the body is not what the protocol says."""
    try:
        answer = json.loads(body)
        choice = answer["choices"][0]
        message = choice["message"]
        text = message.get("content") or ""
        if not isinstance(text, str):
            text = "".join(part["text"] for part in text if part.get("type") == "text")
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        raise ValueError("the body is not an answer") from None
    usage, refusal = answer.get("usage"), message.get("refusal")
    return Reply(
        text=text,
        finish=str(choice.get("finish_reason") or ""),
        refusal=refusal if isinstance(refusal, str) else "",
        tokens_in=_count(usage, "prompt_tokens"),
        tokens_out=_count(usage, "completion_tokens"),
        counted=isinstance(usage, dict),
    )


def _count(usage: Any, name: str) -> int:
    value = usage.get(name) if isinstance(usage, dict) else None
    return max(0, value) if isinstance(value, int) else 0


def read_error(body: bytes, secret: str) -> tuple[str, str]:
    """Code and message of an error's body, short, printable and without ``secret``, which servers like to quote."""
    try:
        error = json.loads(body)
        error = error.get("error", error)
        code, message = str(error.get("code") or ""), str(error.get("message") or "")
    except (ValueError, AttributeError, RecursionError):
        code, message = "", body[: 4 * _QUOTED].decode("utf-8", "replace")
    message = " ".join("".join(c if c.isprintable() else " " for c in message).split())
    if secret:  # some quote only its beginning or end: whatever word shares eight characters with it goes
        pieces = {secret[start : start + 8] for start in range(max(1, len(secret) - 7))}
        message = " ".join("…" if any(piece in word for piece in pieces) else word for word in message.split(" "))
    return code.replace(secret, "…") if secret else code, message[:_QUOTED]


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


class Client:
    """Connections to one server, kept open; thread-safe.

    Proxies of the environment are used, except for a server on this machine. Redirects are not followed.
    """

    def __init__(self, config: OpenAIConfig) -> None:
        self._config, self._key = config, config.api_key()
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity", "User-Agent": "viral"}
        self._http = httpx.Client(
            headers=headers | ({"Authorization": f"Bearer {self._key}"} if self._key else {}),
            timeout=httpx.Timeout(config.timeout, connect=min(_CONNECT, config.timeout), pool=None),
            limits=httpx.Limits(max_connections=config.concurrency, max_keepalive_connections=config.concurrency),
            follow_redirects=False,
            trust_env=not config.is_local,
        )
        weakref.finalize(self, self._http.close)  # whoever forgets to close a describer leaves no socket open

    def post(self, body: bytes) -> bytes:
        """The body of a good answer; raises ``Again``, ``BadRequest``, ``Refused`` or ``ViralError``."""
        deadline = time.monotonic() + self._config.timeout
        try:
            with self._http.stream("POST", self._config.endpoint, content=body) as response:
                data = self._read(response, deadline)
        except httpx.TimeoutException as error:
            reached = not isinstance(error, httpx.ConnectTimeout)
            raise Again(f"no answer within {self._config.timeout:g} s", reached=reached) from None
        except httpx.ConnectError as error:
            raise Again(str(error) or "no connection", reached=False) from None
        except httpx.TransportError as error:
            raise Again(f"the connection was cut ({type(error).__name__})") from None
        if response.status_code != 200:
            raise fault_of(self._config, response.status_code, response.headers, data, self._key)
        return data

    def close(self) -> None:
        self._http.close()

    def _read(self, response: httpx.Response, deadline: float) -> bytes:
        data = bytearray()
        for chunk in response.iter_raw():
            data += chunk
            if len(data) > _MAX_ANSWER:
                raise Again(f"an answer of more than {_MAX_ANSWER:,} bytes")
            if time.monotonic() > deadline:
                raise Again(f"no answer within {self._config.timeout:g} s")
        return bytes(data)
