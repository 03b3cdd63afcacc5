"""Items like an item, by the cosine of the model's vectors or of a modality's features. I items, F their width."""

from collections.abc import Mapping

import torch
from torch import Tensor

from viral.base.errors import DataError, UsageError, nearest
from viral.models.scorers import SparseTable, product
from viral.run.bundle import Bundle

FUSED = "fused"  # the items' side of the model's score


class ItemSimilarity:
    """A bundle's tables of item vectors with their lengths, which are computed once a table."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._norms: dict[str, Tensor] = {}

    def cosines(self, vector: Tensor, by: str) -> Tensor:
        """Of every item with a vector (F,): (I,), -∞ for items without features of that modality."""
        table, there = self._table(by)
        if by not in self._norms:
            lengths = table.norm(dim=1) if isinstance(table, Tensor) else table.norms()
            self._norms[by] = lengths.clamp(min=1e-12)
        cosines = product(table, vector) / (self._norms[by] * vector.norm().clamp(min=1e-12))
        return cosines if there is None else cosines.masked_fill_(~there, -torch.inf)

    def vector(self, item: int, by: str) -> Tensor:
        """One item's row (F,); ``DataError`` where it has no features of that modality."""
        table, there = self._table(by)
        if there is not None and not there[item]:
            raise missing(repr(self._bundle.items.ids[item]), by)
        return table[item]

    def _table(self, by: str) -> tuple[Tensor | SparseTable, Tensor | None]:
        features: Mapping[str, Tensor] = self._bundle.material.features
        if by == FUSED:
            return self._bundle.scorer.item_vectors, None
        if by not in features:
            raise UsageError(f"the bundle keeps no {by!r} features", hint=nearest(by, [FUSED, *features]))
        return features[by], self._bundle.material.present[by]


def missing(item: str, by: str) -> DataError:
    """What is raised for an item without features of a modality."""
    return DataError(f"item {item} has no {by!r} features", hint="choose another modality, or fused")
