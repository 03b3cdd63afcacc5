"""Approximate search over very many items: faiss, an inverted file of inner products. Its recall is measured, and told.

An answer of faiss is a set of candidates: they are scored again exactly, and filtered, by whoever asks.
"""

from typing import Any

import torch
from torch import Tensor

from viral.errors import UsageError
from viral.graph.blocks import row_blocks

PROBES, CHECKED = 200, 20  # users by whom the recall is measured, and how many best items of each
SHARE = 8  # one list in so many is looked at


class Approximate:
    """An index over item vectors (I, D); ``recall`` is the share of the exact best 20 that it finds, over 200 users."""

    def __init__(self, items: Tensor, users: Tensor) -> None:
        try:
            import faiss
        except ImportError:
            hint = "pip install 'viral[ann]', or search exactly"
            raise UsageError("approximate search needs faiss, which is not installed", hint=hint) from None
        count, dim = items.shape
        lists = max(1, int(4 * count**0.5))
        quantizer = faiss.IndexFlatIP(dim)
        self._index: Any = faiss.IndexIVFFlat(quantizer, dim, lists, faiss.METRIC_INNER_PRODUCT)
        self._index.cp.min_points_per_centroid = 1
        self._index.cp.seed = 0
        table = items.float().contiguous().numpy()
        self._index.train(table[:: max(1, count // (64 * lists))])
        self._index.add(table)
        self._index.nprobe = max(1, lists // SHARE)
        self.recall = self._measured(items, users[:: max(1, len(users) // PROBES)][:PROBES])

    def candidates(self, vector: Tensor, count: int) -> Tensor:
        """About the ``count`` best items for a user's vector (D,): indices (≤ count,)."""
        _, found = self._index.search(vector.float().numpy()[None], count)
        indices = torch.from_numpy(found[0])
        return indices[indices >= 0]

    def _measured(self, items: Tensor, users: Tensor) -> float:
        k, blocks = min(CHECKED, len(items)), row_blocks(len(users), len(items))
        best = [row for block in blocks for row in (users[block] @ items.T).topk(k).indices]
        found = [torch.isin(row, self.candidates(user, len(row))) for row, user in zip(best, users, strict=True)]
        return float(torch.stack(found).double().mean()) if found else 1.0
