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
    title: str  # untrusted, though cleaned (``prompts.clean_title``); empty where the prompt does not use it
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
    """Describes batches of pictures.

    What it says of a picture depends on the picture, the rendered prompt and the properties below, and on nothing
    else: they are the ledger's key. Executors may call it from several threads at once, or pickle it.
    """

    @property
    def name(self) -> str:
        """A short word without a slash; part of file names."""
        ...

    @property
    def revision(self) -> str:
        """Changes when the same picture would be described otherwise."""
        ...

    @property
    def parameters(self) -> dict[str, object]:
        """What else decides the text, as JSON."""
        ...

    @property
    def batch_size(self) -> int:
        """How many pictures it likes to get at once."""
        ...

    def describe(self, pictures: Sequence[Picture], prompt: Prompt) -> list[str | Exception]:
        """One text or exception per picture, in order; a picture that fails never fails its neighbours.

        A ``PictureError`` in the list marks a picture as unreadable. What is raised is for faults of the whole run: a
        ``ViralError`` ends it with its message; after anything else each picture of the batch is tried alone.
        """
        ...
