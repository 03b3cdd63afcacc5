"""Settings as the words ``KEY=VALUE`` of the command line, read and written."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from viral.base.errors import UsageError

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


def setting(word: str) -> tuple[str, Any]:
    """The key and the value of a ``--set`` word, ``KEY=VALUE``; ``UsageError`` where it is none."""
    key, equals, text = word.partition("=")
    if not equals or not key.strip():
        raise UsageError(f"--set {word!r} is not KEY=VALUE", hint="for example --set num_layers=4")
    return key.strip(), _toml_value(text.strip())


def _toml_value(text: str) -> Any:
    """A TOML value, or the text itself where it is none (``--set visual=image``); ``none`` is None."""
    if text.lower() == "none":
        return None
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError):
        return text
