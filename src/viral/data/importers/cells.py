"""Cells of a table made plain: missing values in every spelling, HTML, lists, numbers with a needless point."""

import ast
import html
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import polars as pl

_MISSING = (
    "",
    "nan",
    "null",
    "none",
    "n/a",
    "na",
    "\\n",
    "-",
    "--",
    "#n/a",
    "<na>",
    "nil",
    "undefined",
    "(null)",
    "nat",
)
_WHOLE, _POINT = r"^\s*-?\d+(?:\.0+)?\s*$", r"\.0+\s*$"
_MARKUP = r"<[A-Za-z/!?][^<>]*>|<!--|&(?:[A-Za-z]{2,8}|#\d{1,7}|#[xX][0-9A-Fa-f]{1,6});"
_BLOCKS = r"p|br|div|ul|ol|li|dl|dt|dd|h[1-6]|table|thead|tbody|tfoot|tr|td|th|hr|section|article|header|center|pre"
_WORDS = r"b|i|u|s|em|strong|span|a|img|font|small|big|sub|sup|input|button|iframe|label|form|code|abbr|tt|html|body"
_UNSEEN = re.compile(r"<(script|style)\b.*?(</\1\s*>|$)|<!--.*?(-->|$)", re.IGNORECASE | re.DOTALL)
_BLOCK = re.compile(rf"</?(?:{_BLOCKS})(?:\s[^<>]*)?/?>", re.IGNORECASE)
_WORD = re.compile(rf"</?(?:{_WORDS})(?:\s[^<>]*)?/?>", re.IGNORECASE)
_TIMES = 3  # that an entity may have been written as entities
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


def changed(values: pl.Series, pattern: str, change: Callable[[str], str | None]) -> pl.Series:
    """The series with ``change`` applied to each distinct cell that has the ``pattern``."""
    odd = values.filter(values.str.contains(pattern)).unique()
    if not odd.len():
        return values
    changed = pl.Series([change(cell) for cell in odd.to_list()], dtype=pl.String)
    return values.replace(odd, changed)


def known(column: str) -> pl.Expr:
    """A column of text without blanks around it; null where it only says that there is nothing."""
    text = pl.col(column).str.strip_chars()
    return pl.when(~text.str.to_lowercase().is_in(_MISSING)).then(text).alias(column)


def plain(values: pl.Series) -> pl.Series:
    """Texts without HTML: tags gone, entities as the letters they stand for, blanks in a row as one."""
    return changed(values, _MARKUP, without_markup)


def whole(values: pl.Series) -> pl.Series | None:
    """Ids without a point (``10.0``), where all are whole numbers and stay apart; None where none is changed."""
    ids = values.drop_nulls().str.strip_chars().unique()
    ids = ids.filter(ids != "")
    if not ids.str.contains(_POINT).any() or not ids.str.contains(_WHOLE).all():
        return None
    if ids.str.replace(_POINT, "").n_unique() < len(ids):
        return None
    return values.str.replace(_POINT, "")


def without_markup(text: str) -> str:
    """The words of a text that may hold HTML, with single blanks between them."""
    for _ in range(_TIMES):
        if "&" not in text or (plain := html.unescape(text)) == text:
            break
        text = plain
    if "<" in text:
        text = _WORD.sub("", _BLOCK.sub(" ", _UNSEEN.sub(" ", text)))
    return " ".join(text.split())


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
    amount = next((found for found in _named(price, "amount", "value", "price") if found is not None), None)
    currency = next(filter(None, _named(price, *_CURRENCY)), None)
    return None if amount is None else " ".join(str(part) for part in (amount, currency) if part is not None)


def _named(value: Mapping[Any, Any], *names: str) -> Iterator[Any]:
    """What an object has under the names, whatever their case, in the order of the names."""
    lower = {str(key).lower(): inner for key, inner in value.items()}
    return (lower.get(name) for name in names)


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
        return next(filter(None, map(_address, members)), None)
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
        return next(filter(None, map(_address, member)), None)
    if isinstance(member, dict):
        return next(filter(None, map(_address, _named(member, *_ADDRESS_KEYS))), None)
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
        return next((str(name) for name in _named(member, *_NAME_KEYS) if name), None)
    return str(member).strip() or None if member is not None else None
