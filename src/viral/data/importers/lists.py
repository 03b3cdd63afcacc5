"""Lists in the cells of a table: JSON, or several values with a mark between them; pictures and categories of those."""

import ast
import json
import re
from collections.abc import Sequence
from typing import Any

import polars as pl

from viral.data.importers.cells import changed

_LISTED = r"^\s*[\[{]"
_URL = re.compile(r"https?://", re.IGNORECASE)
_SEVERAL_URLS = re.compile(r"[\s,;|]+(?=https?://)", re.IGNORECASE)
_SEVERAL_FILES = re.compile(r"\s*[|;,]\s*")
_PICTURE = re.compile(r"\.(?:jpe?g|png|webp|gif|bmp|tiff?|avif)$", re.IGNORECASE)
_STEPS = re.compile(r"\s*[>»›→|]\s*|\s+/\s+")
_MAGENTO = re.compile(r"\s*(?:Default Category|Root Catalog)?/", re.IGNORECASE)
_ADDRESS_KEYS = ("large", "hi_res", "hires", "src", "url", "source_url", "image_url", "link", "href", "path", "file")
_CURRENCY = ("currency", "currency_code", "currencycode", "unit")
_NAME_KEYS = ("name", "title", "label", "value", "category", "text")


def joined(values: pl.Series) -> pl.Series:
    """Texts, with the members of each list in a row."""
    return changed(values, _LISTED, _in_a_row)


def first_pictures(values: pl.Series) -> pl.Series:
    """The first picture (a file's name or an address) of each cell; null where there is none."""
    return changed(values, r"[\[{|;,\s]", _first_picture)


def categories(values: pl.Series) -> pl.Series:
    """One category of each cell: the last member of a path or list, which says most; of several paths the first."""
    return changed(values, r"[\[{>»›→|/]", _category)


def amounts(values: pl.Series) -> pl.Series:
    """Prices, those that are an object of an amount and a currency as both in a row."""
    return changed(values, r"^\s*\{", _amount)


def _amount(cell: str) -> str | None:
    price = _parsed(cell.strip())
    if not isinstance(price, dict):
        return cell
    lower = {str(key).lower(): value for key, value in price.items()}
    amount = next((lower[key] for key in ("amount", "value", "price") if lower.get(key) is not None), None)
    currency = next((lower[key] for key in _CURRENCY if lower.get(key)), None)
    return None if amount is None else " ".join(str(part) for part in (amount, currency) if part is not None)


def _list(cell: str) -> Sequence[Any] | None:
    """The members of a cell that is a list or an object in JSON (or as Python prints it); None for any other.

    A lone number in brackets is words: ``[2024]``.
    """
    value = _parsed(cell.strip())
    if isinstance(value, dict):
        return [value]
    if not isinstance(value, list) or (value and all(isinstance(member, int | float) for member in value)):
        return None
    return value


def _parsed(text: str) -> Any:
    if not (text.startswith("[") and text.endswith("]")) and not (text.startswith("{") and text.endswith("}")):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    if "'" not in text or len(text) > 10_000:
        return None
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def _in_a_row(cell: str) -> str:
    members = _list(cell)
    if members is None or cell.lstrip().startswith("{"):
        return cell
    return " ".join(_texts(members))


def _texts(members: Sequence[Any]) -> list[str]:
    texts = list[str]()
    for member in members:
        if isinstance(member, list):
            texts += _texts(member)
        elif isinstance(member, dict):
            texts.append(json.dumps(member, ensure_ascii=False))
        elif member is not None and str(member).strip():
            texts.append(str(member))
    return texts


def _first_picture(cell: str) -> str | None:
    members = _list(cell)
    if members is not None:
        return next((found for member in members if (found := _address(member))), None)
    if _URL.match(cell.strip()):
        return _SEVERAL_URLS.split(cell.strip())[0].rstrip(",;|")
    files = [file for file in _SEVERAL_FILES.split(cell.strip()) if file]
    several = len(files) > 1 and all(_PICTURE.search(file) or _URL.match(file) for file in files)
    return files[0] if several else cell


def _address(member: Any) -> str | None:
    """The address or file of one picture: a text, or what an object calls so."""
    if isinstance(member, str):
        return member.strip() or None
    if isinstance(member, list):
        return next((found for part in member if (found := _address(part))), None)
    if isinstance(member, dict):
        lower = {str(key).lower(): value for key, value in member.items()}
        return next((found for key in _ADDRESS_KEYS if (found := _address(lower.get(key)))), None)
    return None


def _category(cell: str) -> str | None:
    members = _list(cell)
    if members is not None:
        paths = [member for member in members if isinstance(member, list)]
        names = [name for member in (paths[0] if paths else members) if (name := _name(member))]
        return _category(names[-1]) if names else None
    slashes = _MAGENTO.match(cell)
    if slashes or ">" in cell:
        cell = cell.split(",")[0]
    path = cell.split("/") if slashes else _STEPS.split(cell)
    return next((part.strip() for part in reversed(path) if part.strip()), None)


def _name(member: Any) -> str | None:
    if isinstance(member, dict):
        lower = {str(key).lower(): value for key, value in member.items()}
        return next((str(lower[key]) for key in _NAME_KEYS if lower.get(key)), None)
    return str(member).strip() or None if member is not None else None
