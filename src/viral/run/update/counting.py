"""Describers and encoders that count what they are asked: what an update has cost."""

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from viral.data.features import FloatArray
from viral.encode import Encoder, VisionEncoder
from viral.enrich import Answer, Describer, Picture, Prompt

if TYPE_CHECKING:
    from PIL.Image import Image


class CountingDescriber:
    """A describer; ``count`` pictures went through it."""

    def __init__(self, describer: Describer) -> None:
        self._describer, self.count, self._lock = describer, 0, threading.Lock()
        self.name, self.revision, self.parameters = describer.name, describer.revision, describer.parameters
        self.batch_size, self.in_flight = describer.batch_size, describer.in_flight

    def describe(self, pictures: Sequence[Picture], prompt: Prompt) -> list[Answer | Exception]:
        with self._lock:
            self.count += len(pictures)
        return self._describer.describe(pictures, prompt)

    def stop(self) -> None:
        """End its waiting, if it is one that waits and tries again."""
        stop = getattr(self._describer, "stop", None)
        if callable(stop):
            stop()


class CountingEncoder:
    """An encoder; ``count`` texts went through it."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder, self.count = encoder, 0

    @property
    def name(self) -> str:
        return self._encoder.name

    def encode(self, texts: Sequence[str]) -> FloatArray:
        self.count += len(texts)
        return self._encoder.encode(texts)


class CountingVision:
    """An encoder of pictures; ``count`` of them went through it."""

    def __init__(self, vision: VisionEncoder) -> None:
        self._vision, self.count = vision, 0

    @property
    def name(self) -> str:
        return self._vision.name

    @property
    def revision(self) -> str:
        return self._vision.revision

    def features(self, pictures: "Sequence[Image]") -> FloatArray:
        self.count += len(pictures)
        return self._vision.features(pictures)
