"""A small run to be served: random vectors, words and colours that can be encoded again; and the application."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import torch
from fastapi import FastAPI
from PIL import Image

from encoders import BagOfWords, Colours
from viral.apps.serve import Settings, create_app
from viral.data.interactions import Interactions
from viral.data.vocabulary import Vocabulary
from viral.models.scorers import EmbeddingScorer
from viral.run.bundle import Bundle
from viral.run.bundle_extras import Material

USERS, ITEMS, DIM = 12, 30, 6
KINDS = ("mug", "lamp", "vase")


def bundle(
    seed: int = 0, *, titles: dict[int, str] | None = None, users: int = USERS, items: int = ITEMS
) -> Bundle:  # fmt: skip
    """Users u0 …, items i0 …: item n is of category ``KINDS[n % 3]``, and user n took items n, n + 1 and n + 2."""
    rng = torch.Generator().manual_seed(seed)
    vectors = [torch.randn(count, DIM, generator=rng) for count in (users, items)]
    taken = torch.arange(users)[:, None] + torch.arange(3)
    seen = Interactions(torch.arange(users).repeat_interleave(3), taken.flatten(), users, items)
    ids = Vocabulary([f"i{n}" for n in range(items)], "item")
    people = Vocabulary([f"u{n}" for n in range(users)], "user")
    names = [(titles or {}).get(n, f"{KINDS[n % 3]} number {n}") for n in range(items)]
    texts = ["from Japan" if n % 2 else "from Peru" for n in range(items)]
    words, pictures = BagOfWords(), [Image.new("RGB", (4, 4), (8 * n % 256, 90, 30)) for n in range(items)]
    features = {
        "text": torch.from_numpy(words.encode([f"{a}. {b}" for a, b in zip(names, texts, strict=True)])),
        "image": torch.from_numpy(Colours().features(pictures)),
    }
    present = {name: torch.ones(items, dtype=torch.bool) for name in features}
    present["image"][5] = False
    columns = {"text": texts, "category": [KINDS[n % 3] for n in range(items)]}
    material = Material(columns, features, present, {"text": words.name, "image": "colours/1"})
    parts = {"text": (0, 4), "synergy": (4, DIM)}
    return Bundle(EmbeddingScorer(*vectors, parts), people, ids, tuple(names), seen, {"model": "test"}, material)


def save_run(folder: Path, seed: int = 0, **options: Any) -> Path:
    """A run's folder with such a bundle."""
    bundle(seed, **options).save(folder / "bundle")
    return folder


def application(run: Path, **settings: object) -> FastAPI:
    """The application, with the encoders of these tests."""
    app = create_app(Settings(run=run, **settings))
    encoders = app.state.live.current.retriever.encoders
    encoders.words, encoders.vision = BagOfWords(), Colours()
    return app


def photo(size: tuple[int, int] = (32, 24)) -> bytes:
    """The bytes of a JPEG."""
    buffer = io.BytesIO()
    values = np.random.default_rng(0).integers(0, 255, (*size, 3), dtype=np.uint8)
    Image.fromarray(values).save(buffer, "JPEG")
    return buffer.getvalue()
