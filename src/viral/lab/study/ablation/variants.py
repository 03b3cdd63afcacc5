"""What a study is: rows that differ from the full model in named settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A row of a study: what differs from the full model's configuration, or another model at its defaults."""

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)  # of the configuration, or ``train.…``, ``memory.…``
    model: str = "viral"
    place: float | None = None  # on the axis of a sweep


@dataclass(frozen=True, kw_only=True)
class Study:
    """Rows that belong together; ``parameter`` makes it a sweep over that symbol."""

    name: str
    title: str
    question: str
    variants: tuple[Variant, ...]
    parameter: str = ""
    of: Literal["published", "beyond", "any"] = "published"  # the variants of VIRAL that it takes apart
