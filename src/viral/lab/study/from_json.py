"""What a study wrote as JSON, read back as the frozen value that it was, whatever version wrote it."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints


def from_json(kind: Any, value: Any) -> Any:
    """A value of the annotated type: null is NaN where a number must stand, a field that is absent has its default.

    A dataclass whose JSON has another shape reads itself by a class method ``from_json``. Raises ``KeyError``,
    ``TypeError``, ``ValueError`` or ``AttributeError`` where the JSON is of something else.
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if origin in (Union, UnionType):
        return None if value is None else from_json(next(one for one in arguments if one is not NoneType), value)
    if hasattr(kind, "from_json"):
        return kind.from_json(value)
    if is_dataclass(kind) and isinstance(kind, type):
        hints = get_type_hints(kind)
        there = [field.name for field in fields(kind) if field.name in value]
        return kind(**{name: from_json(hints[name], value[name]) for name in there})
    if origin is tuple:
        return tuple(from_json(arguments[0], one) for one in value)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {str(key): from_json(arguments[1], one) for key, one in value.items()}
    if kind is float and value is None:
        return float("nan")
    return kind(value)
