"""What encoders are: words or pictures in, vectors out."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from viral.data.features import FloatArray

if TYPE_CHECKING:
    from PIL.Image import Image


class Encoder(Protocol):
    """Texts to vectors. A text's vector depends on the text and ``name`` alone, not on its neighbours."""

    @property
    def name(self) -> str:
        """Name and version; two encoders of one name give equal vectors."""
        ...

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """Float32 (n, F), a row per text."""
        ...


class VisionEncoder(Protocol):
    """Pictures to vectors. A picture's vector depends on the picture, ``name`` and ``revision`` alone."""

    @property
    def name(self) -> str: ...

    @property
    def revision(self) -> str: ...

    def features(self, pictures: "Sequence[Image]") -> FloatArray:
        """Float32 (n, F), a row per upright RGB picture."""
        ...
