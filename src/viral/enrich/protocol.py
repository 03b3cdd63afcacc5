"""What a describer is: pictures and titles in, words out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from viral.base.errors import ViralError
from viral.data.catalog import Catalog


class Refused(ViralError):
    """A describer declined to describe a picture: an answer in which nothing is described."""


class BudgetSpent(ViralError):
    """The tokens or the money that a run may spend are spent; ends it in order. What was answered is kept."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a describer said of one picture, and what that took."""

    text: str
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float = 0.0  # money, in the currency of the prices that the describer was configured with


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
    language: str = "en"  # in which it asks and is to be answered: "en", "zh", or "" where that is not known
    schema: Mapping[str, Any] | None = field(default=None, compare=False)  # of the JSON to answer with; None: free text

    @property
    def uses_title(self) -> bool:
        return "{title}" in self.template


class Describer(Protocol):
    """Describes batches of pictures.

    What it says of a picture depends on the picture, the rendered prompt and ``name``, ``revision`` and ``parameters``,
    and on nothing else: they are the ledger's key. Executors may call it from several threads at once, or pickle it.
    One that waits and tries again may have a ``stop()``, which Ctrl-C calls: no further attempts.
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
        """What else decides the text, as JSON; never a secret: it is kept in the ledger."""
        ...

    @property
    def batch_size(self) -> int:
        """How many pictures it likes to get at once."""
        ...

    @property
    def in_flight(self) -> int:
        """How many batches it likes to have under way at once: 1 where it computes, more where it waits for others."""
        ...

    def describe(self, pictures: Sequence[Picture], prompt: Prompt) -> list[Answer | Exception]:
        """One answer or exception per picture, in order; a picture that fails never fails its neighbours.

        In the list, a ``PictureError`` marks a picture as unreadable, ``Refused`` as refused, and ``BudgetSpent`` as
        not asked: the run ends, the other answers of the list are kept, and no attempt is counted. Anything else is an
        attempt that failed. What is raised is for faults of the whole run: a ``BudgetSpent`` says that nothing of this
        batch was asked; any other ``ViralError`` ends the run with its message; after anything else each picture of
        the batch is tried alone. Batches that are under way in other threads are waited for and kept in every case.
        """
        ...


def for_categories(describer: Describer, categories: Iterable[str | None]) -> Describer:
    """The describer as it is for a catalogue of these categories, which some take for evidence.

    What it makes of them is in its ``parameters``, like all that decides its words.
    """
    adapted = getattr(describer, "for_categories", None)
    return adapted([name for name in categories if name]) if callable(adapted) else describer


def for_catalog(describer: Describer, catalog: Catalog) -> Describer:
    """The describer as it is for this catalogue."""
    return for_categories(describer, (item.category for item in catalog))
