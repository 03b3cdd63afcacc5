"""What an ablation is made of: groups of rows that differ from the full model in named settings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A row of an ablation: what differs from the full model's configuration, or another model at its defaults."""

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)  # of the configuration, or ``train.…``, ``memory.…``
    model: str = "viral"
    place: float | None = None  # on the axis of a sweep


@dataclass(frozen=True, kw_only=True)
class VariantGroup:
    """Rows that belong together; ``parameter`` makes them a sweep over that symbol."""

    name: str
    title: str
    question: str
    variants: tuple[Variant, ...]
    parameter: str = ""
    of: Literal["published", "beyond", "any"] = "published"  # the variants of VIRAL that it takes apart


def changed(rows: Mapping[str, Mapping[str, Any]]) -> tuple[Variant, ...]:
    """Rows by name, each with the settings that it changes."""
    return tuple(Variant(name=name, settings=settings) for name, settings in rows.items())


def swept(symbol: str, key: str, values: Sequence[float]) -> tuple[Variant, ...]:
    """One row for each value of a number."""
    return tuple(Variant(name=f"{symbol} = {value:g}", settings={key: value}, place=value) for value in values)
