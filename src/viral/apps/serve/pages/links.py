"""Addresses of pages: ids are any text, so they are quoted whole."""

from collections.abc import Mapping
from urllib.parse import quote, urlencode


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
