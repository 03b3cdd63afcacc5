"""What a describer is: pictures and titles in, words out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Status = Literal["done", "missing picture", "unreadable", "failed"]


@dataclass(frozen=True, slots=True)
class Description:
    """What a describer said of one item's picture, or why it could not."""

    item_id: str
    text: str  # empty unless status is "done"
    describer: str  # name and revision: "pixel/1"
    prompt: str  # the prompt's name: "title"
    image_sha256: str  # empty when there was no picture
    status: Status
    error: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """One request to a describer: the picture's bytes (already checked) and the item's title."""

    item_id: str
    title: str  # untrusted: delimited, capped and stripped of control characters by the prompt
    data: bytes


@dataclass(frozen=True, slots=True)
class Prompt:
    """A versioned text; ``{title}`` marks where the item's title goes. ``sha256`` is part of the ledger's key."""

    name: str
    template: str
    sha256: str

    @property
    def uses_title(self) -> bool:
        return "{title}" in self.template


class Describer(Protocol):
    """Describes batches of pictures. ``parameters`` and ``revision`` are part of the ledger's key."""

    @property
    def name(self) -> str: ...

    @property
    def revision(self) -> str: ...

    @property
    def parameters(self) -> dict[str, object]: ...

    @property
    def batch_size(self) -> int: ...

    def describe(self, pictures: Sequence[Picture], prompt: Prompt) -> list[str | Exception]:
        """One text or exception per picture, in order; a picture that fails never fails its neighbours."""
        ...
