"""Encoders for tests: small, instant, and a function of what they are shown. They count."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL.Image import Image


@dataclass
class BagOfWords:
    """Every word is a direction; texts with common words are alike."""

    dim: int = 24
    name: str = "bag/1"
    texts: list[str] = field(default_factory=list)  # all that it was shown

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        self.texts += texts
        vectors = [sum((self._word(word) for word in set(text.lower().split())), np.zeros(self.dim)) for text in texts]
        table = np.stack(vectors) if vectors else np.zeros((0, self.dim))
        return (table / np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-9)).astype(np.float32)

    def _word(self, word: str) -> np.ndarray:
        seed = int.from_bytes(hashlib.sha256(word.strip(".,").encode()).digest()[:4])
        return np.random.default_rng(seed).normal(size=self.dim)


@dataclass
class Colours:
    """A picture's mean colour, and its square."""

    name: str = "colours"
    revision: str = "1"
    seen: int = 0

    def features(self, pictures: Sequence[Image]) -> np.ndarray:
        self.seen += len(pictures)
        means = np.stack([np.asarray(picture, dtype=np.float32).mean(axis=(0, 1)) / 255 for picture in pictures])
        return np.concatenate([means, means**2], axis=1)
