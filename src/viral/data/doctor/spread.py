"""Whether a table of features tells items apart: one vector for most of them, or all nearly alike, does not."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from viral.data.doctor.report import EXAMPLES, Finding
from viral.data.features import FeatureTable, FloatArray

LEAST_ITEMS = 10
SAME = 0.5  # share of the items with one and the same vector
ALIKE = 0.98  # mean cosine of two items
CHUNK = 4096
SAID = "look at what was said of the pictures: viral enrich DATASET --report FOLDER"
LOOK = {
    "description": SAID,
    "words": SAID,
    "image": "look whether most items have a placeholder for a picture",
    "title": "look whether the titles came from the right column of your table",
    "text": "look whether the titles and texts came from the right columns of your table",
}


def check_spread(table: FeatureTable, name: str, others: Sequence[str]) -> Iterator[Finding]:
    """At most one finding on a readable table; ``name`` is its file, ``others`` are the data set's other modalities."""
    items = len(table.item_ids)
    if items < LEAST_ITEMS:
        return
    keys = [hashlib.blake2b(row.tobytes(), digest_size=16).digest() for row in np.ascontiguousarray(table.values)]
    hint = _hint(table.modality, others)
    commonest, count = Counter(keys).most_common(1)[0]
    if count >= SAME * items:
        same = [item for item, key in zip(table.item_ids, keys, strict=True) if key == commonest][:EXAMPLES]
        examples = tuple(f"{name}, item_id: {item!r}" for item in same)
        message = f"of {items:,} items have one and the same vector in {name}: it tells most of them not apart"
        yield Finding("warning", "features that separate nothing", count, message, examples, hint)
    elif mean_cosine(table.values) > ALIKE:
        message = f"items have nearly the same vector in {name}: a model learns nothing from it"
        yield Finding("warning", "features that separate nothing", items, message, (name,), hint)


def mean_cosine(values: FloatArray) -> float:
    """The mean cosine of two rows (n, F), which is the squared length of the mean direction."""
    total = np.zeros(values.shape[1])
    for start in range(0, len(values), CHUNK):
        part = values[start : start + CHUNK].astype(np.float64)
        total += (part / np.maximum(np.linalg.norm(part, axis=1, keepdims=True), 1e-12)).sum(axis=0)
    return float(np.square(total / len(values)).sum())


def _hint(modality: str, others: Sequence[str]) -> str:
    look = LOOK.get(modality, "look at what the vectors were made of")
    if not others:
        return look
    read = ",".join(f'"{name}"' for name in others)
    return f"{look}; or train without it: viral train DATASET --set 'sources=[{read}]'"
