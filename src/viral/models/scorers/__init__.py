"""What ranks once a model is trained: vectors, item-item weights, or both, with one face.

A bundle keeps a scorer as its ``manifest()`` and its ``tensors()``; :func:`load_scorer` reads them by ``KINDS``, to
which a scorer from outside the project adds its own.
"""

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

from viral.graph import SparseMatrix
from viral.models.scorers.base import MEMORY, Scorer, UserProfile, Vectors, product, split_products
from viral.models.scorers.embeddings import EmbeddingScorer
from viral.models.scorers.item_weights import HistoryScorer, ItemWeightScorer, SparseHistoryScorer
from viral.models.scorers.memory import MemoryScorer, scales_of
from viral.models.scorers.sparse_table import SparseTable

Tensors = Mapping[str, Tensor]


def _embeddings(manifest: Mapping[str, Any], tensors: Tensors) -> EmbeddingScorer:
    parts = {name: (int(start), int(stop)) for name, (start, stop) in manifest["parts"].items()}
    return EmbeddingScorer(tensors["users"], tensors["items"], parts)


def _item_weights(manifest: Mapping[str, Any], tensors: Tensors) -> ItemWeightScorer:
    if "weights" in tensors:
        return HistoryScorer(tensors["offsets"], tensors["items"], tensors["weights"])
    rows, columns, values = (tensors[name] for name in ("rows", "columns", "values"))
    return SparseHistoryScorer(tensors["offsets"], tensors["items"], SparseMatrix(rows, columns, values, len(rows) - 1))


def _with_memory(manifest: Mapping[str, Any], tensors: Tensors) -> MemoryScorer:
    vectors = _embeddings(manifest, _below("vectors/", tensors))
    memory = _item_weights(manifest, _below("memory/", tensors))
    return MemoryScorer(vectors, memory, tensors["scales"], float(manifest["weight"]))


def _below(prefix: str, tensors: Tensors) -> Tensors:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


KINDS: dict[str, Callable[[Mapping[str, Any], Tensors], Scorer]] = {
    EmbeddingScorer.kind: _embeddings,
    ItemWeightScorer.kind: _item_weights,
    MemoryScorer.kind: _with_memory,
}


def load_scorer(manifest: Mapping[str, Any], tensors: Tensors) -> Scorer:
    """The scorer of a bundle; ``KeyError`` for an unknown kind, or tensors that are not there."""
    return KINDS[manifest["scorer"]](manifest, tensors)


__all__ = [
    "KINDS",
    "MEMORY",
    "EmbeddingScorer",
    "HistoryScorer",
    "ItemWeightScorer",
    "MemoryScorer",
    "Scorer",
    "SparseHistoryScorer",
    "SparseTable",
    "UserProfile",
    "Vectors",
    "load_scorer",
    "product",
    "scales_of",
    "split_products",
]
