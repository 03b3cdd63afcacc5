"""The describers that there are, by name; each is imported only when it is asked for."""

from collections.abc import Callable, Mapping

from viral.enrich.base import Describer
from viral.errors import UsageError, nearest


def _pixel() -> Describer:
    from viral.enrich.pixel import PixelDescriber

    return PixelDescriber()


DESCRIBERS: Mapping[str, Callable[[], Describer]] = {"pixel": _pixel}


def describer_named(name: str) -> Describer:
    """The describer of that name with its default settings; ``UsageError`` names the nearest."""
    if name not in DESCRIBERS:
        raise UsageError(f"unknown describer {name!r}", hint=nearest(name, DESCRIBERS))
    return DESCRIBERS[name]()
