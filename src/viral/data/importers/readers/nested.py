"""Events and orders that hold a list of items each, as GA4 and the shops' own interfaces export them: a row an item.

What is inside another object is called by both names with a point between them: ``customer.id``, ``items.item_id``.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import polars as pl

from viral.data.importers.columns.names import USER, candidates, key

_LINES = ("items", "line_items", "order_items", "order_lines", "cart_items", "products", "basket")
_KEYS = frozenset(key(name) for name in _LINES)


def spread(values: Iterable[Any]) -> Iterator[Any]:
    """Each object that has a user and a list of items as one object an item; everything else as it is."""
    for value in values:
        lines = _lines_of(value) if isinstance(value, Mapping) else None
        if lines is None:
            yield value
            continue
        outer = _flat({name: inner for name, inner in value.items() if name != lines})
        for line in value[lines]:
            yield {**outer, **{f"{lines}.{name}": inner for name, inner in line.items()}}


def spread_frame(frame: pl.DataFrame) -> pl.DataFrame:
    """The same of a table with a column of lists of structures; the other columns are repeated."""
    lists = [name for name, kind in frame.schema.items() if key(name) in _KEYS and _is_lines(kind)]
    if not lists:
        return frame
    structures = [name for name, kind in frame.schema.items() if isinstance(kind, pl.Struct)]
    flat = frame.explode(lists[0])
    for name in (*structures, lists[0]):
        flat = flat.with_columns(pl.col(name).name.prefix_fields(f"{name}.")).unnest(name)
    return flat if candidates(flat.columns, USER) else frame


def _lines_of(value: Mapping[str, Any]) -> str | None:
    for name, inner in value.items():
        if key(name) in _KEYS and isinstance(inner, list) and inner and all(isinstance(one, dict) for one in inner):
            return name if candidates(list(_flat(value)), USER) else None
    return None


def _flat(value: Mapping[str, Any]) -> dict[str, Any]:
    flat = dict[str, Any]()
    for name, inner in value.items():
        if isinstance(inner, dict):
            flat |= {f"{name}.{own}": one for own, one in inner.items()}
        else:
            flat[name] = inner
    return flat


def _is_lines(kind: pl.DataType) -> bool:
    return isinstance(kind, pl.List) and isinstance(kind.inner, pl.Struct)
