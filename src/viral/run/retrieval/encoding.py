"""A title and a picture to the features of a bundle's modalities, by the describer and encoders that made them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from viral.base.errors import DataError, ViralError
from viral.data.pictures import PictureError, decode
from viral.encode import Encoder, SentenceEncoder, VisionEncoder
from viral.encode.feature_tables import SAID
from viral.encode.vision import EfficientNetLite
from viral.enrich import Answer, Describer, Picture, Prompt, Refused
from viral.enrich.prompts import clean_title
from viral.enrich.protocol import for_categories
from viral.run.bundle_extras import Described, Material, described_by
from viral.run.retrieval.describer import NOTHING_GIVEN, Given, check_revision, describer_of

STEPS = ("look", "describe", "encode", "place")  # of a new item
OnStep = Callable[[str], None]
SHORTER_SIDE = 256  # pictures are decoded to it, as for a catalogue


def unheard(step: str) -> None:
    """Nobody listens."""


@dataclass
class Encoders:
    """What turns one new item into features. Models are loaded at their first use and kept.

    ``describer``, ``words`` and ``vision`` stand in for those that the material names; ``given`` says of its describer
    what the material does not keep.
    """

    material: Material
    describer: Describer | None = None
    words: Encoder = field(default_factory=SentenceEncoder)
    vision: VisionEncoder = field(default_factory=EfficientNetLite)
    given: Given = NOTHING_GIVEN
    _kept: tuple[Describer, Prompt] | None = field(default=None, init=False, repr=False)

    def encode(
        self, title: str, picture: bytes | None, text: str = "", on_step: OnStep = unheard
    ) -> tuple[dict[str, Tensor], str]:
        """Features (F,) by modality, of those that can be made here, and the description.

        Raises ``DataError`` for a picture that cannot be read, and where there is nothing to encode.
        """
        on_step("look")
        decoded = None if picture is None else decode(picture, shorter_side=SHORTER_SIDE)
        told = picture is not None and not set(SAID).isdisjoint(self.known)
        if told:
            on_step("describe")
        description = self.describe(title, picture) if told and picture is not None else ""
        on_step("encode")
        features = {}
        for name, more in (("text", text), ("title", ""), ("description", description)):
            words = join(title, more)
            if name in self.known and words:
                features[name] = self.encode_words([words])[0]
        if "words" in self.known and description:
            features["words"] = self.encode_words([description])[0]
        if "image" in self.known and decoded is not None:
            features["image"] = torch.from_numpy(self.vision.features([decoded]))[0]
        if not features:
            hint = f"the bundle's items have: {', '.join(self.material.encoders) or 'none'}"
            raise DataError("nothing of the new item can be encoded as the bundle's items were", hint=hint)
        return features, description

    def encode_words(self, texts: list[str]) -> Tensor:
        """Vectors of texts, (n, F)."""
        return torch.from_numpy(self.words.encode(texts))

    @cached_property
    def known(self) -> Mapping[str, str]:
        """The modalities whose encoder is the one here, with its name; the others' is not to be had."""
        described = self.material.described
        image = f"{self.vision.name}/{self.vision.revision}"
        mine = {"text": self.words.name, "title": self.words.name, "image": image}
        found = {name: one for name, one in self.material.encoders.items() if mine.get(name) == one}
        if described is not None and described.encoder == self.words.name:
            by = self.material.encoders
            found |= {name: by[name] for name in SAID if described_by(by.get(name, "")) == described}
        return found

    def describe(self, title: str, picture: bytes) -> str:
        """What the describer of the bundle's items says of a picture; nothing where it declines, or cannot be asked.

        Raises ``NoDescriber`` where it cannot be had here, ``ViralError`` where it fails.
        """
        made = self.material.described
        assert made is not None
        if not made.askable:
            return ""
        describer, prompt = self._kept = self._kept or self._of(made)
        shown = clean_title(title) if prompt.uses_title else ""
        try:
            answer = describer.describe([Picture("", shown, picture)], prompt)[0]
        except ViralError:
            self._kept = None  # some answer nothing after a fault, though it may have passed
            raise
        if isinstance(answer, Answer):
            return answer.text.strip()
        if isinstance(answer, Refused):
            return ""
        if isinstance(answer, PictureError):
            raise answer
        raise DataError(f"the picture could not be described ({answer})", where=describer.name, hint="try again")

    def _of(self, made: Described) -> tuple[Describer, Prompt]:
        categories = self.material.columns.get("category", ())
        if self.describer is None:
            describer, prompt = describer_of(made, self.given)
            return for_categories(describer, categories), prompt
        check_revision(self.describer, made)
        return for_categories(self.describer, categories), self.given.prompt_for(made.prompt)


def join(title: str, more: str) -> str:
    """Title and further words as ``viral encode`` joins them."""
    return ". ".join(part for part in (title.strip(), more.strip()) if part)
