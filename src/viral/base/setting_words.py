"""Settings of Python as the words ``KEY=VALUE`` that the command line has."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SECTIONS = ("config", "train", "memory")  # of a recipe


def words_of(settings: Mapping[str, Any]) -> list[str]:
    """Settings as ``--set`` words: ``{"layers": 2, "train": {"seed": 1}}`` -> ``layers=2``, ``train.seed=1``."""
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        section = name in SECTIONS and isinstance(value, Mapping)
        flat |= {f"{name}.{key}": one for key, one in value.items()} if section else {name: value}
    return [f"{name}={_as_toml(value)}" for name, value in flat.items()]


def _as_toml(value: Any) -> str:
    """A value on one line; None is ``none``, a path its name."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(key)} = {_as_toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_as_toml(one) for one in value) + "]"
    if value is None or isinstance(value, float):
        return str(value).lower()  # also nan and inf
    return json.dumps(str(value) if isinstance(value, Path) else value, ensure_ascii=False)
