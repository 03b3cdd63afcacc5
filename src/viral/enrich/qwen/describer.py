"""The describer: pictures decoded and bounded, asked for in batches, each batch halved where the GPU is too small."""

import hashlib
import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viral.base.errors import ViralError
from viral.base.extras import require
from viral.base.progress import say
from viral.data.pictures import decode, read_header
from viral.enrich.prompts import render
from viral.enrich.protocol import Answer, Picture, Prompt
from viral.enrich.qwen.config import QwenConfig
from viral.enrich.qwen.weights import folder_revision

if TYPE_CHECKING:
    from PIL.Image import Image

    from viral.enrich.qwen.model import VisionModel

PROCESSING = 1  # of what is done here to pictures, words and answers; part of the parameters
SLIMMEST = 200  # times as long as wide: beyond that, models with patches refuse a picture


class QwenDescriber:
    """Qwen2.5-VL of any size, or another model of ``AutoModelForImageTextToText``, from a folder or the hub.

    The model is loaded at the first picture, once. Pickled, the describer is its configuration. Raises ``ViralError``
    where the model cannot be had.
    """

    name, in_flight = "qwen", 1

    def __init__(self, config: QwenConfig = QwenConfig()) -> None:  # noqa: B008 - frozen
        require("vlm", purpose="the qwen describer")
        self._config = config
        self._lock = threading.Lock()
        self._loaded: VisionModel | None = None
        self._most = config.batch_size  # pictures at once; less after the GPU was too small for them

    def __reduce__(self) -> tuple[Any, ...]:
        return QwenDescriber, (self._config,)

    @cached_property
    def revision(self) -> str:
        """The hub's id and commit, or a digest of the folder's files."""
        config = self._config
        return f"{config.model}@{config.commit}" if config.commit else folder_revision(Path(config.model))

    @property
    def parameters(self) -> dict[str, object]:
        """What decides the text beside the model; the batch size and the device do so by rounding alone."""
        config = self._config
        sampling = {"temperature": config.temperature, "seed": config.seed} if config.temperature else {}
        return {
            "dtype": config.resolved_dtype(),
            "max_new_tokens": config.max_new_tokens,
            "repetition_penalty": config.repetition_penalty,
            "min_pixels": config.min_pixels,
            "max_pixels": config.max_pixels,
            "processing": PROCESSING,
            **sampling,
        }

    @property
    def batch_size(self) -> int:
        return self._config.batch_size

    def describe(self, pictures: Sequence[Picture], prompt: Prompt) -> list[Answer | Exception]:
        """One answer or exception per picture, in order. An answer without a word is an attempt that failed."""
        results: list[Answer | Exception | None] = [None] * len(pictures)
        asked: list[tuple[int, Image, str, int]] = []
        for place, picture in enumerate(pictures):
            text = render(prompt, picture.title)
            try:
                asked.append((place, self._decode(picture.data), text, self._seed(picture, text)))
            except ViralError as error:
                results[place] = error
        with self._lock:
            said = self._ask([(image, text, seed) for _, image, text, seed in asked])
        for (place, *_), answer in zip(asked, said, strict=True):
            silent = isinstance(answer, Answer) and not answer.text
            results[place] = ViralError("the model said nothing") if silent else answer
        return [result for result in results if result is not None]

    def _decode(self, data: bytes) -> "Image":
        """The picture, not much above ``max_pixels``: the model's own, finer scaling does the rest."""
        header = read_header(data)
        sides = (header.width, header.height)
        if max(sides) > SLIMMEST * min(sides):
            raise ViralError(
                f"{header.width} × {header.height} is too slim for a model", hint="cut the picture to its subject"
            )
        factor = (4 * self._config.max_pixels / (header.width * header.height)) ** 0.5
        return decode(data, shorter_side=max(1, round(min(sides) * factor)) if factor < 1 else None)

    def _seed(self, picture: Picture, text: str) -> int:
        """Of the picture's own draws: the same in any batch and at any time."""
        digest = hashlib.sha256(f"{self._config.seed}\0{text}\0".encode("utf-8", "replace") + picture.data).digest()
        return int.from_bytes(digest[:8], "big") >> 1

    def _ask(self, asked: Sequence[tuple["Image", str, int]]) -> list[Answer | Exception]:
        """Answers in order. Where memory is too small a batch is halved, and those after it are no larger."""
        answers: list[Answer | Exception] = []
        while len(answers) < len(asked):
            batch = asked[len(answers) : len(answers) + self._most]
            answered = self._try(batch)
            if answered is not None:
                answers += answered
            elif len(batch) > 1:
                self._most = len(batch) // 2
                say(f"the GPU's memory is too small for {len(batch)} pictures at once; going on with {self._most}")
            else:
                hint = "set a smaller max_pixels, or use a smaller model"
                answers.append(ViralError("the GPU's memory is too small for this picture", hint=hint))
        return answers

    def _try(self, batch: Sequence[tuple["Image", str, int]]) -> list[Answer] | None:
        """The answers, or None where memory was too small for them; it is free again by then."""
        import torch

        images, texts, seeds = zip(*batch, strict=True)
        try:
            return self._model().answer(images, texts, seeds)
        except torch.OutOfMemoryError:
            pass
        torch.cuda.empty_cache()
        return None

    def _model(self) -> "VisionModel":
        if self._loaded is None:
            from viral.enrich.qwen.model import VisionModel

            say(f"loading {self._config.model}")
            self._loaded = VisionModel(self._config)
        return self._loaded
