"""The pixel describer: works offline, on any machine, and says only what can be measured in the pixels."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version

import numpy as np

from viral.base.errors import UsageError
from viral.base.extras import require
from viral.base.recipe import check_least
from viral.data.pictures import decode
from viral.encode.vision import EfficientNetLite
from viral.enrich.pixel.printed_text import TextReader
from viral.enrich.pixel.relevance import named_classes, read_title, weigh
from viral.enrich.pixel.sentences import describe_all, describe_focus
from viral.enrich.pixel.sight import Sight, look
from viral.enrich.protocol import Answer, Picture, Prompt

SHORTER_SIDE, LONGER_SIDE = 256, 640  # to which pictures are scaled down before they are looked at
CLASSIFIER_SIDE = 160  # of the classifier's input: half the time of 224, and drawn or cut-out things lose nothing


@dataclass(frozen=True, kw_only=True)
class PixelConfig:
    """How many pictures are taken at once; decides the time and nothing of the text."""

    batch_size: int = 32
    threads: int = 2  # that look at pictures

    def __post_init__(self) -> None:
        check_least(self, batch_size=1, threads=1)


class PixelDescriber:
    """A describer made of colour, pattern, outline, ImageNet classes and OCR. It is not a vision-language model.

    A prompt without ``{title}`` asks for everything in the picture; one with it for the thing that the title is about.
    Beyond that the prompt's words are not read. The same picture, title and prompt give the same text in any batch.
    A class is named where the title names it, or one of ``classes``: those that a catalogue's categories name.
    """

    name, revision, in_flight = "pixel", "2", 1

    def __init__(self, config: PixelConfig = PixelConfig(), *, classes: frozenset[int] = frozenset()) -> None:
        require("pixel", purpose="the pixel describer")
        self._config = config
        self._classes = classes

    def for_categories(self, categories: Iterable[str]) -> "PixelDescriber":
        """The same describer for a catalogue that has these categories: their classes may be named."""
        return PixelDescriber(self._config, classes=named_classes(categories))

    @property
    def parameters(self) -> dict[str, object]:
        """What decides the text beside the picture: classifier, reader, scale, and the categories' classes if any."""
        supported: dict[str, object] = {"classes": sorted(self._classes)} if self._classes else {}
        return supported | {
            "classifier": f"{self._network.name}/{self._network.revision}",
            "reader": f"rapidocr/{version('rapidocr')}",
            "shorter_side": SHORTER_SIDE,
        }

    @property
    def batch_size(self) -> int:
        return self._config.batch_size

    def describe(self, pictures: Sequence[Picture], prompt: Prompt) -> list[Answer | Exception]:
        """One answer or exception per picture, in order. A broken installation raises; a broken picture does not.

        ``UsageError`` for a prompt that wants JSON, or Chinese: English sentences are all that it writes.
        """
        if prompt.schema is not None or prompt.language == "zh":
            hint = "with it, use plain, title or chain-of-thought; or choose another describer"
            raise UsageError(f"the pixel describer cannot answer prompt {prompt.name!r}", hint=hint)
        with ThreadPoolExecutor(self._config.threads) as pool:
            sights = list(pool.map(self._look, pictures))
        cut_outs = [cut for sight in sights if isinstance(sight, Sight) for cut in sight.cut_outs]
        probabilities = self._network.classify(cut_outs)
        results: list[Answer | Exception] = []
        start = 0
        for picture, sight in zip(pictures, sights, strict=True):
            if isinstance(sight, Exception):
                results.append(sight)
                continue
            rows = probabilities[start : start + len(sight.cut_outs)]
            start += len(sight.cut_outs)
            title = picture.title if prompt.uses_title else None
            results.append(Answer(_compose(sight, rows, title, self._classes)))
        return results

    def _look(self, picture: Picture) -> Sight | Exception:
        try:
            image = decode(picture.data, shorter_side=SHORTER_SIDE)
            image.thumbnail((LONGER_SIDE, LONGER_SIDE))
            return look(image, self._reader)
        except Exception as error:
            return error

    @cached_property
    def _network(self) -> EfficientNetLite:
        return EfficientNetLite(CLASSIFIER_SIDE)

    @cached_property
    def _reader(self) -> TextReader:
        return TextReader()


def _compose(sight: Sight, probabilities: "np.ndarray", title: str | None, classes: frozenset[int]) -> str:
    if title is None:
        return describe_all(sight, probabilities, classes)
    asked = read_title(title)
    return describe_focus(sight, probabilities, asked, weigh(sight.things, probabilities, asked), classes)
