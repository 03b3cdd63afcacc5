"""JSON: one object a line, an array of objects, objects over several lines, or an object around such an array.

Numbers stay as they are written, so that an id keeps its digits; a list or an object becomes its JSON. An event or
order that holds a list of items, as GA4 and the shops' own interfaces export them, becomes a row an item: what is
inside another object is called by both names with a point between them, ``customer.id``, ``items.item_id``.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, TextIO

from viral.base.errors import DataError
from viral.data.importers.columns.names import USER, candidates, key
from viral.data.importers.readers.compressed import open_bytes
from viral.data.importers.readers.raw import Asked, Bad, Raw, gather, in_a_row, open_text

_PARTS = ("images", "image", "pictures", "photos", "media", "variants", "options", "tags", "categories", "reviews")
_LINES = ("items", "line_items", "order_items", "order_lines", "cart_items", "products", "basket")
LINES = frozenset(map(key, _LINES))  # names of a list of items in an event or order
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
_HINT = "write one object a line, or one array of objects"


def read_json(path: Path, asked: Asked) -> Raw:
    """Read the keys that are asked for and there; ``DataError`` where the file is not JSON at all."""
    with open_text(path, asked.encoding) as (file, told):
        objects, shape = _objects(path, file)
        objects = _row_an_item(objects)
        if asked.names is None:
            head = [value for value, _ in zip(objects, range(asked.limit or 2**60), strict=False)]
            names = list(dict.fromkeys(_readable(name) for value in head if isinstance(value, dict) for name in value))
            objects = iter(head)
        else:
            names = list(dict.fromkeys(asked.names))
        seen = dict[str, None]()
        frame, rejections = gather(path, (_row(value, names, seen) for value in objects), names, asked)
    if not seen and not frame.height:
        hint = f"{_HINT}; a table of lines with commas is called .csv" if rejections else "there is nothing to import"
        raise DataError("there is no JSON object in it", where=str(path), hint=hint)
    there = frame.drop([name for name in names if name not in seen])
    return Raw(list(seen), there, rejections, in_a_row(told, shape))


def holds_json(path: Path) -> bool:
    """Whether a file begins as JSON does, whatever it is called."""
    with open_bytes(path) as file:
        return re.match(rb"(?:\xef\xbb\xbf)?\s*(?:\[\s*)?\{\s*\"", file.read(256)) is not None


def _objects(path: Path, file: TextIO) -> tuple[Iterator[Mapping[str, Any] | Bad], str]:
    """The values of the file, and in words how they are written where that is not one a line."""
    first = next((line for line in file if line.strip()), "")
    value = _line(first)
    if isinstance(value, dict):
        second = next((line for line in file if line.strip()), "")
        if not second and _wrapped(value) is not None:
            return _flat(path, [value]), "one JSON object around the rows"
        return (_line(line) for line in chain([first, second], file) if line.strip()), ""
    if not first.lstrip().startswith(("[", "{")):
        return (_line(line) for line in chain([first], file) if line.strip()), ""
    text = first + file.read()
    if isinstance(value, Bad) and first.lstrip().startswith("{") and not _starts_with_object(text):
        return (_line(line) for line in text.splitlines() if line.strip()), ""
    values = list(_values(path, text))
    return _flat(path, values), "a JSON array" if isinstance(values[0], list) else "JSON objects over several lines"


def _line(line: str) -> Mapping[str, Any] | Bad:
    try:
        value = _DECODER.decode(line)
    except (ValueError, RecursionError):
        return Bad("not valid JSON", line.strip())
    return value if isinstance(value, dict) else Bad("not a JSON object", line.strip())


def _starts_with_object(text: str) -> bool:
    try:
        _DECODER.raw_decode(text.lstrip())
    except (ValueError, RecursionError):
        return False
    return True


def _values(path: Path, text: str) -> Iterator[Any]:
    """The JSON values of a text, one after another; commas between them are passed over."""
    place = len(text) - len(text.lstrip())
    while place < len(text):
        try:
            value, place = _DECODER.raw_decode(text, place)
        except (ValueError, RecursionError) as error:
            reason = str(error) if isinstance(error, ValueError) else "nested too deep"
            raise DataError(f"not valid JSON: {reason}", where=str(path), hint=_HINT) from None
        yield value
        while place < len(text) and (text[place].isspace() or text[place] == ","):
            place += 1


def _flat(path: Path, values: Sequence[Any]) -> Iterator[Mapping[str, Any] | Bad]:
    """The objects of all the values: members of arrays, and of the array that a lone object is there to hold."""
    if len(values) == 1 and isinstance(values[0], dict) and (inner := _wrapped(values[0])) is not None:
        if len(inner) > 1:
            names = ", ".join(inner)
            raise DataError(f"several arrays of rows in one object: {names}", where=str(path), hint=_HINT)
        values = next(iter(inner.values()))
    for value in values:
        for member in value if isinstance(value, list) else (value,):
            yield member if isinstance(member, dict) else Bad("not a JSON object", json.dumps(member))


def _wrapped(value: Mapping[str, Any]) -> Mapping[str, list[Any]] | None:
    """The members of an object that are arrays of objects, where they are rows and not parts of one product."""
    arrays = {
        name: member
        for name, member in value.items()
        if isinstance(member, list) and member and all(isinstance(part, dict) for part in member)
    }
    rows = {name: member for name, member in arrays.items() if name.lower() not in _PARTS}
    return None if candidates(list(value), USER) else rows or None  # a user's own list of items is one event


def _row(value: Mapping[str, Any] | Bad, names: Sequence[str], seen: dict[str, None]) -> list[str | None] | Bad:
    if isinstance(value, Bad):
        return value
    seen.update(dict.fromkeys(map(_readable, value)))
    return [_text(value.get(name)) for name in names]


def _readable(name: str) -> str:
    """The name of a column as it can be written: JSON may spell half a character, which UTF-8 has not."""
    return name if name.isascii() else name.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _row_an_item(values: Iterator[Mapping[str, Any] | Bad]) -> Iterator[Mapping[str, Any] | Bad]:
    """Each object that has a user and a list of items as one object an item; everything else as it is."""
    for value in values:
        lines = _lines_of(value) if isinstance(value, Mapping) else None
        if lines is None or isinstance(value, Bad):
            yield value
            continue
        outer = _one_level({name: inner for name, inner in value.items() if name != lines})
        for line in value[lines]:
            yield {**outer, **{f"{lines}.{name}": inner for name, inner in line.items()}}


def _lines_of(value: Mapping[str, Any]) -> str | None:
    for name, inner in value.items():
        if key(name) in LINES and isinstance(inner, list) and inner and all(isinstance(one, dict) for one in inner):
            return name if candidates(list(_one_level(value)), USER) else None
    return None


def _one_level(value: Mapping[str, Any]) -> dict[str, Any]:
    flat = dict[str, Any]()
    for name, inner in value.items():
        flat |= {f"{name}.{own}": one for own, one in inner.items()} if isinstance(inner, dict) else {name: inner}
    return flat
