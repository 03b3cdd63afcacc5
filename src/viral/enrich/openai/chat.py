"""The wire: what is posted to ``/chat/completions``, and what the body of an answer says."""

import base64
import json
from dataclasses import dataclass
from typing import Any

from viral.enrich.base import Prompt
from viral.enrich.openai.config import OpenAIConfig
from viral.enrich.prompts import render

_HERE = "picture goes here"
_QUOTED = 200  # characters of what a server says of an error


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
