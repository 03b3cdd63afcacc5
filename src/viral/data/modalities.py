"""The table of modalities: of what of an item each source of features is made (docs/add-a-modality.md)."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from viral.base.errors import UsageError, nearest
from viral.base.plugins import load_named

PICTURE, DESCRIPTION = "picture", "description"
READABLE = ("title", "text", "category", "price", "colour", "brand", DESCRIPTION, PICTURE)
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")


@dataclass(frozen=True, kw_only=True)
class Modality:
    """One source of item features.

    ``reads`` names what of an item is encoded: columns of the catalogue, and ``description``, what a describer said of
    its picture; those that say something are joined in this order to one text, ``title. text``. Or it is ``picture``
    alone. ``encoder`` makes what turns texts (:class:`viral.encode.Encoder`) or pictures
    (:class:`viral.encode.VisionEncoder`) into vectors; None: VIRAL's own for texts, or for pictures.
    """

    name: str
    reads: tuple[str, ...]
    encoder: Callable[[], Any] | None = None
    on_request: bool = False  # made where it is named, and from then on kept up to date
    advice: str = "look at what the vectors were made of"  # where its vectors do not tell items apart

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            hint = "it becomes the name of a file: small letters, digits, '-' and '_'"
            raise UsageError(f"a modality cannot be called {self.name!r}", hint=hint)
        for part in self.reads:
            if part not in READABLE:
                raise UsageError(f"modality {self.name!r} reads {part!r}", hint=nearest(part, READABLE))
        if not self.reads or (self.of_pictures and len(self.reads) > 1):
            raise UsageError(f"modality {self.name!r} reads {self.reads}", hint="texts, or the picture alone")

    @property
    def of_pictures(self) -> bool:
        return PICTURE in self.reads

    @property
    def of_descriptions(self) -> bool:
        return DESCRIPTION in self.reads

    def text_of(self, parts: Mapping[str, str]) -> str:
        """What is encoded of an item with these parts; "" where there is nothing."""
        return ". ".join(words for part in self.reads if (words := parts.get(part, "").strip()))


_DESCRIBED = "look at what was said of the pictures: viral enrich DATASET --report FOLDER"
MODALITIES: Mapping[str, Modality] = {
    row.name: row
    for row in (
        Modality(
            name="text", reads=("title", "text"),
            advice="look whether the titles and texts came from the right columns of your table",
        ),
        Modality(
            name="title", reads=("title",), advice="look whether the titles came from the right column of your table"
        ),
        Modality(name="description", reads=("title", DESCRIPTION), advice=_DESCRIBED),
        Modality(name="words", reads=(DESCRIPTION,), on_request=True, advice=_DESCRIBED),
        Modality(
            name="image", reads=(PICTURE,), advice="look whether most items have a placeholder for a picture"
        ),
    )
}  # fmt: skip


def modality_named(name: str) -> Modality:
    """A row of the table, or one of yours: ``package.module:NAME``. ``UsageError`` where there is none."""
    if ":" not in name:
        if name not in MODALITIES:
            raise UsageError(f"unknown modality {name!r}", hint=f"{nearest(name, MODALITIES)} Or package.module:NAME")
        return MODALITIES[name]
    found = load_named(name, "modality")
    if not isinstance(found, Modality):
        raise UsageError(f"{name!r} is not a Modality", hint="make it with viral.data.modalities.Modality(name=…)")
    return found


def modalities_of(wanted: Iterable[str | Modality]) -> tuple[Modality, ...]:
    """The rows that are named or given."""
    return tuple(modality_named(one) if isinstance(one, str) else one for one in wanted)
