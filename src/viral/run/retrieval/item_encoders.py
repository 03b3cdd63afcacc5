"""A title and a picture to the features of a bundle's modalities, by the describer and encoders that made them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from viral.base.errors import DataError, ViralError
from viral.data.modalities import DESCRIPTION, MODALITIES, Modality
from viral.data.pictures import PictureError, decode
from viral.encode import Encoder, SentenceEncoder, VisionEncoder
from viral.encode.encoders import encoder_of, makes
from viral.encode.vision import EfficientNetLite
from viral.enrich import Answer, Describer, Picture, Prompt, Refused
from viral.enrich.prompts import clean_title
from viral.enrich.protocol import for_categories
from viral.run.bundle_extras import DescriptionSource, Material, described_by
from viral.run.retrieval.describer import NO_DESCRIBER_OPTIONS, DescriberOptions, check_revision, describer_of

STEPS = ("look", "describe", "encode", "place")  # of a new item
OnStep = Callable[[str], None]
SHORTER_SIDE = 256  # pictures are decoded to it, as for a catalogue


def unheard(step: str) -> None:
    """Nobody listens."""


@dataclass
class ItemEncoders:
    """What turns one new item into features. Models are loaded at their first use and kept.

    ``describer``, ``words`` and ``vision`` stand in for those that the material names; ``options`` say of its
    describer what the material does not keep. ``modalities`` are rows of yours beside those of the table.
    """

    material: Material
    describer: Describer | None = None
    words: Encoder = field(default_factory=SentenceEncoder)
    vision: VisionEncoder = field(default_factory=EfficientNetLite)
    options: DescriberOptions = NO_DESCRIBER_OPTIONS
    modalities: Sequence[Modality] = ()
    _own: dict[str, Any] = field(default_factory=dict, init=False, repr=False)
    _kept: tuple[Describer, Prompt] | None = field(default=None, init=False, repr=False)

    def encode(
        self, title: str, picture: bytes | None, text: str = "", on_step: OnStep = unheard
    ) -> tuple[dict[str, Tensor], str]:
        """Features (F,) by modality, of those that can be made here, and the description.

        Raises ``DataError`` for a picture that cannot be read, and where there is nothing to encode.
        """
        on_step("look")
        decoded = None if picture is None else decode(picture, shorter_side=SHORTER_SIDE)
        known = [one for one in self.rows if one.name in self.known]
        described = picture is not None and any(one.of_descriptions for one in known)
        if described:
            on_step("describe")
        description = self.describe(title, picture) if described and picture is not None else ""
        on_step("encode")
        parts = {"title": title, "text": text, DESCRIPTION: description}
        features = {}
        for one in known:
            if one.of_pictures and decoded is not None:
                features[one.name] = torch.from_numpy(self.encoder(one).features([decoded]))[0]
            elif words := one.text_of(parts):
                features[one.name] = torch.from_numpy(self.encoder(one).encode([words]))[0]
        if not features:
            hint = f"the bundle's items have: {', '.join(self.material.encoders) or 'none'}"
            raise DataError("nothing of the new item can be encoded as the bundle's items were", hint=hint)
        return features, description

    def encode_words(self, texts: list[str]) -> Tensor:
        """Vectors of texts, (n, F)."""
        return torch.from_numpy(self.words.encode(texts))

    @property
    def rows(self) -> Sequence[Modality]:
        """The modalities that can be made here, if their encoder is the one that made the bundle's."""
        return tuple((dict(MODALITIES) | {one.name: one for one in self.modalities}).values())

    def encoder(self, modality: Modality) -> Any:
        """The encoder of a modality, made once."""
        if modality.encoder is None:
            return encoder_of(modality, self.words, self.vision)
        if modality.name not in self._own:
            self._own[modality.name] = encoder_of(modality)
        return self._own[modality.name]

    @cached_property
    def known(self) -> Mapping[str, str]:
        """The modalities whose encoder is the one here, with its name; the others' is not to be had."""
        made = {one.name: self.material.encoders.get(one.name, "") for one in self.rows}
        return {one.name: made[one.name] for one in self.rows if self._makes(one, made[one.name])}

    def _makes(self, modality: Modality, made: str) -> bool:
        described = described_by(made)
        if modality.of_descriptions and (described is None or described != self.material.described):
            return False
        return makes(modality, self.encoder(modality), described.encoder if described is not None else made)

    def describe(self, title: str, picture: bytes) -> str:
        """The description of a picture by the describer of the bundle's items; empty where it declines or cannot be
        asked.

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

    def _of(self, made: DescriptionSource) -> tuple[Describer, Prompt]:
        categories = self.material.columns.get("category", ())
        if self.describer is None:
            describer, prompt = describer_of(made, self.options)
            return for_categories(describer, categories), prompt
        check_revision(self.describer, made)
        return for_categories(self.describer, categories), self.options.prompt_for(made.prompt)
