"""Approximate search over very many items: faiss, an inverted file of inner products. Its recall is measured.

An answer of faiss is a set of candidates, which are scored again exactly.
"""

from typing import Any

import torch
from torch import Tensor

from viral.base.extras import require
from viral.graph.blocks import row_blocks
from viral.models.scorers import UserProfile
from viral.run.retrieval.exact_search import top

PROBES, CHECKED = 200, 20  # users by whom the recall is measured, and how many best items of each
SHARE = 8  # one list in so many is looked at


class ApproximateSearch:
    """An index over item vectors (I, D); ``recall`` is the share of the exact best 20 that it finds, over 200 users.

    A score's sum over a history is not in it: ``recall`` is that of the inner product alone.
    """

    def __init__(self, items: Tensor, users: Tensor) -> None:
        require("ann", purpose="approximate search")
        import faiss

        count, dim = items.shape
        lists = max(1, int(4 * count**0.5))
        quantizer = faiss.IndexFlatIP(dim)
        self._items = items
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

    def best(self, profile: UserProfile, count: int, hidden: Tensor) -> tuple[Tensor, Tensor] | None:
        """Indices and exact scores of the ``count`` best candidates but ``hidden`` (n,), best first; None for fewer.

        Candidates are also all items to whose scores the user's history adds something (``UserProfile.summed``).
        """
        found, added = self.candidates(profile.vector, 2 * count + len(profile.seen)), profile.summed()
        if added is not None:
            found = torch.cat([found, added.nonzero().squeeze(1)]).unique()
        found = found[~torch.isin(found, hidden)]
        if len(found) < count:
            return None
        scores = self._items[found] @ profile.vector
        places, values = top(scores if added is None else scores.add_(added[found]), count)
        return found[places], values

    def _measured(self, items: Tensor, users: Tensor) -> float:
        k, blocks = min(CHECKED, len(items)), row_blocks(len(users), len(items))
        best = [row for block in blocks for row in (users[block] @ items.T).topk(k).indices]
        found = [torch.isin(row, self.candidates(user, len(row))) for row, user in zip(best, users, strict=True)]
        return float(torch.stack(found).double().mean()) if found else 1.0
