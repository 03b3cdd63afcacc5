"""What encoders are: texts or pictures in, vectors out; and which one a modality has."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from viral.data.features import FloatArray
from viral.data.modalities import Modality

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


def encoder_of(modality: Modality, words: Encoder | None = None, vision: VisionEncoder | None = None) -> Any:
    """The modality's encoder: its own, else the one that is given for texts or pictures, else VIRAL's."""
    if modality.encoder is not None:
        return modality.encoder()
    if modality.of_pictures:
        from viral.encode.vision import EfficientNetLite

        return vision or EfficientNetLite()
    from viral.encode.sentence import SentenceEncoder

    return words or SentenceEncoder()


def encoder_name(modality: Modality, encoder: Any) -> str:
    """The encoder's name as feature tables and bundles keep it."""
    return f"{encoder.name}/{encoder.revision}" if modality.of_pictures else str(encoder.name)


def makes(modality: Modality, encoder: Any, made: str) -> bool:
    """Whether ``made`` names this encoder; its weights are looked at only where its name is the same."""
    return made.startswith(encoder.name) and encoder_name(modality, encoder) == made
