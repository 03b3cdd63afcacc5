"""The describers that there are, by name; each is imported only when it is asked for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from viral.base.errors import UsageError, nearest
from viral.base.recipe import build
from viral.base.setting_words import setting
from viral.enrich.protocol import Describer


@dataclass(frozen=True, slots=True)
class DescriberKind:
    """A describer's frozen configuration, every field of which has a default or must be set, and its class."""

    config: type
    make: Callable[[Any], Describer]


def _pixel() -> DescriberKind:
    from viral.enrich.pixel import PixelConfig, PixelDescriber

    return DescriberKind(PixelConfig, PixelDescriber)


def _openai() -> DescriberKind:
    from viral.enrich.openai import OpenAIConfig, OpenAIDescriber

    return DescriberKind(OpenAIConfig, OpenAIDescriber)


def _qwen() -> DescriberKind:
    from viral.enrich.qwen import QwenConfig, QwenDescriber

    return DescriberKind(QwenConfig, QwenDescriber)


DESCRIBERS: Mapping[str, Callable[[], DescriberKind]] = {"pixel": _pixel, "openai": _openai, "qwen": _qwen}


IMPORT = "import"  # stands in the describer's place where words come from a file (``import_descriptions``)


def describer_named(name: str, settings: Sequence[str] = ()) -> Describer:
    """The describer of that name; ``settings`` are words such as ``batch_size=8`` for fields of its configuration.

    Raises ``UsageError`` that names the nearest describer or field.
    """
    if name == IMPORT:
        hint = "take them in: viral enrich DATASET --describer import --set file=WORDS.csv"
        raise UsageError("words from a file are not asked for", where="--describer import", hint=hint)
    if name not in DESCRIBERS:
        raise UsageError(f"unknown describer {name!r}", hint=nearest(name, DESCRIBERS))
    kind = DESCRIBERS[name]()
    return kind.make(build(kind.config, dict(setting(word) for word in settings), where="--set"))
