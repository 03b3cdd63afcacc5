"""What the prompt "attributes" is answered with: one JSON object, and the plain text that is made of it."""

import json
import unicodedata
from collections.abc import Mapping
from typing import Any

from viral.enrich.protocol import Prompt

_TEXT: Mapping[str, Any] = {"type": "string"}
_LIST: Mapping[str, Any] = {"type": "array", "items": _TEXT}
FIELDS: Mapping[str, Mapping[str, Any]] = {
    "category": _TEXT,
    "colours": _LIST,
    "material": _TEXT,
    "pattern": _TEXT,
    "shape": _TEXT,
    "text": _LIST,
}
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": FIELDS,
    "required": list(FIELDS),
    "additionalProperties": False,
}
_LABELS = {
    "en": ("Category", "Colours", "Material", "Pattern", "Shape", "Text on it"),
    "zh": ("类别", "颜色", "材质", "花纹", "形状", "上面的文字"),
}
_MOST_VALUES, _MOST_CHARACTERS = 20, 200  # of a list, of a value


def canonical(answer: str) -> str:
    """The answer as JSON with every field, in order; ``ValueError`` where it is no such object, or says nothing.

    A fence of backticks around it, words before and after it and further keys are dropped; a text where a list should
    be is a list of one; what is absent or null is empty.
    """
    found = _object(answer)
    values = {name: _value(found.get(name), name) for name in FIELDS}
    if not any(values.values()):
        raise ValueError("not one attribute in it")
    return json.dumps(values, ensure_ascii=False)


def as_text(attributes: str, prompt: Prompt) -> str:
    """Canonical JSON as the sentences that an encoder reads: ``Category: mug. Colours: red, white. …``.

    Fields in their order, what is empty left out, in the prompt's language.
    """
    values = json.loads(attributes)
    chinese = prompt.language == "zh"
    between, comma, stop = ("：", "、", "。") if chinese else (": ", ", ", ". ")
    parts = [
        label + between + (comma.join(values[name]) if isinstance(values[name], list) else values[name])
        for name, label in zip(FIELDS, _LABELS["zh" if chinese else "en"], strict=True)
        if values[name]
    ]
    return (stop.join(parts) + stop).strip()


def _object(answer: str) -> dict[str, Any]:
    start, end = answer.find("{"), answer.rfind("}")
    try:
        found = json.loads(answer[start : end + 1]) if start >= 0 else None
    except (ValueError, RecursionError):
        raise ValueError("it is not JSON") from None
    if not isinstance(found, dict):
        raise ValueError("it is not a JSON object")
    return found


def _value(value: Any, name: str) -> str | list[str]:
    if FIELDS[name] is _TEXT:
        words = ", ".join(map(str, value)) if isinstance(value, list) else value
        return _clean(words, name)
    values = value if isinstance(value, list) else [] if value is None else [value]
    return [text for one in values[:_MOST_VALUES] if (text := _clean(one, name))]


def _clean(value: Any, name: str) -> str:
    """One line without control or hidden characters, cut to a length."""
    if value is None:
        return ""
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise ValueError(f"{name!r} is not text")
    shown = "".join(c for c in str(value) if c.isspace() or unicodedata.category(c)[0] != "C")
    return " ".join(shown.split())[:_MOST_CHARACTERS].rstrip()
