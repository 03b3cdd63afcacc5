"""A describer for tests: it says what it was shown, keeps a log of it, and misbehaves where it is told to."""

import hashlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from viral.enrich.prompts import render
from viral.enrich.protocol import Answer, Picture, Prompt


def said(picture: Picture, prompt: Prompt) -> str:
    """What ``LoggingDescriber`` says of a picture: decided by the picture and the rendered prompt."""
    digest = hashlib.sha256(picture.data + render(prompt, picture.title).encode()).hexdigest()
    return f"picture {digest[:12]} titled {picture.title!r}"


@dataclass(frozen=True)
class LoggingDescriber:
    """Every picture it is shown is a line of ``log``, on disk before the answer is given.

    ``answers`` maps an item id to what is said of it: a text, an ``Answer``, an exception to return, or a function to
    call (which may raise).
    """

    log: Path
    answers: Mapping[str, object] = field(default_factory=dict)
    name: str = "logging"
    revision: str = "1"
    parameters: dict[str, object] = field(default_factory=dict)
    batch_size: int = 4
    in_flight: int = 1
    seconds: float = 0.0

    def describe(self, pictures: Sequence[Picture], prompt: Prompt) -> list[Answer | Exception]:
        with self.log.open("a") as file:
            file.writelines(f"{picture.item_id}\n" for picture in pictures)
            file.flush()
            os.fsync(file.fileno())
        time.sleep(self.seconds)
        return [self._answer(picture, prompt) for picture in pictures]

    def _answer(self, picture: Picture, prompt: Prompt) -> Answer | Exception:
        answer = self.answers.get(picture.item_id, said(picture, prompt))
        if isinstance(answer, Callable):
            answer = answer()
        return Answer(answer) if isinstance(answer, str) else answer

    @property
    def calls(self) -> list[str]:
        """The item ids that it was shown, in order."""
        return self.log.read_text().splitlines() if self.log.exists() else []


def draw(path: Path, number: int, size: tuple[int, int] = (24, 24)) -> Path:
    """A small PNG, a different one for each ``number`` below 2^24."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (number % 256, number // 256 % 256, number // 65536)).save(path)
    return path
