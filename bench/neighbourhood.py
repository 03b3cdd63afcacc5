"""Whether the vectors of a catalogue's items know its categories: the share of neighbours of the item's own."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

NEAREST = 5
CATEGORIES = ("product_group", "product_type")
Vectors = npt.NDArray[np.floating[Any]]


def neighbours_of(rows: Sequence[Mapping[str, str]], texts: Sequence[str], folder: Path) -> dict[str, dict[str, float]]:
    """By category: the share of the ``NEAREST`` items by cosine that are of the item's own, for each kind of vector."""
    from PIL import Image

    from viral.encode.sentence import SentenceEncoder
    from viral.encode.vision import EfficientNetLite

    pictures = [Image.open(folder / row["image"]).convert("RGB") for row in rows]
    sentences, vision = SentenceEncoder(), EfficientNetLite()
    titles = [row["title"] for row in rows]
    vectors: dict[str, Vectors] = {
        "words": sentences.encode(texts),
        f"image ({vision.name}/{vision.revision})": vision.features(pictures),
        "title": sentences.encode(titles),
        "title and text": sentences.encode([f"{row['title']}. {row['text']}" for row in rows]),
    }
    return {
        label: {name: round(alike(values, [row[label] for row in rows]), 3) for name, values in vectors.items()}
        for label in CATEGORIES
    }


def alike(values: Vectors, labels: Sequence[str], nearest: int = NEAREST) -> float:
    """The share of each item's nearest neighbours (n, F) that have its label, mean over items."""
    known = np.asarray(labels)
    unit = values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, -np.inf)
    around = np.argsort(-cosines, axis=1, kind="stable")[:, :nearest]
    return float((known[around] == known[:, None]).mean())
