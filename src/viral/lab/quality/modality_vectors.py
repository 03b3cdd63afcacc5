"""The spaces in which a data set's items lie: its feature tables, and what the describer said, without the title."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from viral.base.errors import DataError, UsageError, nearest
from viral.base.language import _, marked
from viral.data.dataset import Dataset
from viral.encode import Encoder, FeatureTable, SentenceEncoder, load_features
from viral.encode.cache import encode_cached
from viral.encode.feature_tables import CACHE_FILE
from viral.enrich import Descriptions

WORDS = "words-"  # + prompt: the describer's words alone
BEFORE = "image"
LABELS = {
    "image": marked("before: the picture"),
    "words-plain": marked("words alone, prompt plain"),
    "words-title": marked("words alone, prompt title"),
    "description-plain": marked("title and words, prompt plain"),
    "description": marked("after: title and words"),
    "title": marked("title alone"),
    "text": marked("title and text"),
}
LEAST = 3  # items that every space must have in common

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class CachedEncoder:
    """Texts to vectors (n, F) by a sentence encoder, from and to the data set's own cache."""

    dataset: Dataset
    encoder: Encoder

    @classmethod
    def of(cls, dataset: Dataset, encoder: Encoder | None) -> "CachedEncoder":
        """By the given encoder, or the default one."""
        return cls(dataset, encoder or SentenceEncoder())

    def __call__(self, texts: Sequence[str], label: str) -> Vectors:
        return encode_cached(self.encoder, list(texts), self.dataset.features_folder / CACHE_FILE, label)


@dataclass(frozen=True, slots=True, eq=False)
class ModalityVectors:
    """One modality of the mapped items: vectors (n, F) in their order."""

    name: str
    encoder: str
    vectors: Vectors

    @property
    def label(self) -> str:
        return _(LABELS[self.name]) if self.name in LABELS else self.name


@dataclass(frozen=True, slots=True, eq=False)
class MappedItems:
    """The items that are mapped, in the catalogue's order, and the spaces that all of them lie in."""

    item_ids: tuple[str, ...]
    shared: int  # items that every space has; more than there are ``item_ids`` where a sample was drawn
    spaces: tuple[ModalityVectors, ...]


def mapped(
    dataset: Dataset,
    sets: Mapping[str, Descriptions],
    *,
    modalities: Sequence[str] = (),
    most: int,
    seed: int,
    encoder: Encoder | None = None,
) -> MappedItems:
    """Feature tables and described words of at most ``most`` items that all of them have (a seeded sample).

    ``modalities`` chooses (``words-PROMPT`` for the words alone); by default everything that is there. Raises
    ``UsageError`` for a modality that is not there, ``DataError`` where there is none or they have no items in common.
    """
    tables = load_features(dataset.features_folder)
    names = _chosen([*tables, *(WORDS + prompt for prompt in sets)], modalities, dataset)
    words = {WORDS + prompt: one for prompt, one in sets.items() if WORDS + prompt in names}
    present = [set(words[name].texts) if name in words else set(tables[name].item_ids) for name in names]
    shared = [item_id for item_id in dataset.catalog().ids if all(item_id in ids for ids in present)]
    if len(shared) < LEAST:
        told = ", ".join(f"{name} {len(ids):,}" for name, ids in zip(names, present, strict=True))
        hint = f"items by modality: {told}; choose some with --modality, or encode again"
        raise DataError(f"only {len(shared)} items are in every modality", where=str(dataset.path), hint=hint)
    picked = sampled(shared, most, seed)
    encode = CachedEncoder.of(dataset, encoder)
    spaces = [
        _words(words[name], name, picked, encode) if name in words else _table(tables[name], picked) for name in names
    ]
    return MappedItems(tuple(picked), len(shared), tuple(spaces))


def sampled(item_ids: Sequence[str], most: int, seed: int) -> list[str]:
    """At most so many of the items, drawn by the seed, in their order."""
    if len(item_ids) <= most:
        return list(item_ids)
    rows = np.random.default_rng(seed).choice(len(item_ids), most, replace=False)
    return [item_ids[row] for row in np.sort(rows)]


def _chosen(there: Sequence[str], wanted: Sequence[str], dataset: Dataset) -> list[str]:
    if not there:
        hint = f"run `viral enrich {dataset.path}` and `viral encode {dataset.path}`"
        raise DataError("there are no feature tables and no descriptions", where=str(dataset.path), hint=hint)
    for name in wanted:
        if name not in there:
            raise UsageError(f"no modality {name!r}", where=str(dataset.path), hint=nearest(name, there))
    order = list(LABELS)
    return sorted(set(wanted or there), key=lambda name: (order.index(name) if name in order else len(order), name))


def _table(table: FeatureTable, item_ids: Sequence[str]) -> ModalityVectors:
    return ModalityVectors(table.modality, table.encoder, table.aligned(item_ids)[0])


def _words(said: Descriptions, name: str, item_ids: Sequence[str], encode: CachedEncoder) -> ModalityVectors:
    vectors = encode([said.texts[item_id] for item_id in item_ids], f"encode {name}")
    return ModalityVectors(name, f"{encode.encoder.name} of {said.describer} with prompt {said.prompt}", vectors)
