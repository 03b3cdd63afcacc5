"""Frozen values of a study as JSON, and read back as what they were, whatever version wrote them."""

from collections.abc import Collection, Mapping
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints


def to_json(value: Any) -> Any:
    """Dataclasses as objects, unless one says its own JSON by a method ``to_json``."""
    if hasattr(value, "to_json"):
        return value.to_json()
    if is_dataclass(value):
        return fields_json(value)
    if isinstance(value, Mapping):
        return {str(key): to_json(one) for key, one in value.items()}
    return [to_json(one) for one in value] if isinstance(value, list | tuple) else value


def fields_json(value: Any, *, without: Collection[str] = ()) -> dict[str, Any]:
    """The fields of a dataclass."""
    return {field.name: to_json(getattr(value, field.name)) for field in fields(value) if field.name not in without}


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
    if is_dataclass(kind):
        return fields_of(kind, value)
    if origin is tuple:
        return tuple(from_json(arguments[0], one) for one in value)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {str(key): from_json(arguments[1], one) for key, one in value.items()}
    if kind is float and value is None:
        return float("nan")
    return kind(value)


def fields_of(kind: Any, values: Mapping[str, Any]) -> Any:
    """A dataclass out of the JSON of its fields."""
    hints = get_type_hints(kind)
    there = [field.name for field in fields(kind) if field.name in values]
    return kind(**{name: from_json(hints[name], values[name]) for name in there})
