"""Item-item weights of which each item has few: what ranks for ItemKNN and ContentKNN, with no dense table (I, I).

Shapes: U users, I items, B users of a batch.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from viral.graph import SparseMatrix
from viral.models.base import HistoryScorer

BLOCK_ENTRIES = 1 << 20  # weights picked out at once


class Rows:
    """A sparse matrix (R, C), read as a table of which only the rows that are asked for become dense."""

    def __init__(self, matrix: SparseMatrix) -> None:
        self.matrix, self.shape = matrix, matrix.shape

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Tensor | int) -> Tensor:
        """Rows (…) int64 or bool (R,) -> (…, C)."""
        asked = torch.as_tensor(rows, device=self.matrix.values.device)
        if asked.dtype == torch.bool:
            asked = asked.nonzero().squeeze(1)
        owners, columns, values = self.matrix.rows(asked.reshape(-1)).entries()
        found = values.new_zeros(asked.numel(), self.shape[1])
        return found.index_put_((owners, columns), values).view(*asked.shape, self.shape[1])

    def __matmul__(self, dense: Tensor) -> Tensor:
        """The product with (C,) or (C, D)."""
        product = self.matrix.multiply(dense.reshape(len(dense), -1))
        return product.view(len(self), *dense.shape[1:])

    def norms(self) -> Tensor:
        """The rows' lengths: (R,)."""
        rows, _, values = self.matrix.entries()
        return values.new_zeros(len(self)).index_add_(0, rows, values.square()).sqrt_()


@dataclass(frozen=True, slots=True, eq=False)
class SparseHistoryScorer:
    """As :class:`~viral.models.base.HistoryScorer`, with sparse weights."""

    offsets: Tensor  # (U+1,) int64: user u took items[offsets[u] … offsets[u+1]]
    items: Tensor  # (E,) int64
    weights: SparseMatrix  # (I, I): row i is what having taken i says

    @property
    def num_users(self) -> int:
        return len(self.offsets) - 1

    @property
    def num_items(self) -> int:
        return self.weights.shape[0]

    @property
    def columns(self) -> Rows:
        """The items' side: row i is what each item, taken, says for i."""
        return Rows(self.weights.transpose)

    def __call__(self, users: Tensor, out: Tensor | None = None) -> Tensor:
        starts, lengths = self.offsets[users], self.offsets[users + 1] - self.offsets[users]
        shifts = (starts - (lengths.cumsum(0) - lengths)).repeat_interleave(lengths)
        taken = self.items[torch.arange(len(shifts), device=shifts.device) + shifts]
        owners = torch.arange(len(users), device=shifts.device).repeat_interleave(lengths)
        scores = self._sums(taken, owners, len(users))
        return scores if out is None else out.copy_(scores)

    def of(self, taken: Tensor) -> Tensor:
        """Scores of all items for somebody who took ``taken`` (n,): (I,)."""
        return self._sums(taken, torch.zeros_like(taken), 1)[0]

    def split(self, user: int, item: int) -> dict[str, float]:
        """The score of one pair; these models have no parts."""
        taken = self.items[self.offsets[user] : self.offsets[user + 1]]
        return {"score": said_for(self, taken, torch.tensor([item], device=taken.device)).double().sum().item()}

    def _sums(self, taken: Tensor, owners: Tensor, count: int) -> Tensor:
        """Rows of weights of the items taken (n,), summed by who took them (n,): (count, I)."""
        scores = self.weights.values.new_zeros(count * self.num_items)
        ends = self.weights.offsets.diff()[taken].cumsum(0)  # of what each brings
        blocks = int(ends[-1]) // BLOCK_ENTRIES + 1 if len(ends) else 1
        marks = BLOCK_ENTRIES * torch.arange(1, blocks, device=ends.device)
        cuts = torch.searchsorted(ends, marks).cpu().tolist()
        for some, whose in zip(taken.tensor_split(cuts), owners.tensor_split(cuts), strict=True):
            rows, columns, values = self.weights.rows(some).entries()
            scores.index_add_(0, whose[rows] * self.num_items + columns, values)
        return scores.view(count, self.num_items)


def said_for(scorer: HistoryScorer | SparseHistoryScorer, taken: Tensor, items: Tensor) -> Tensor:
    """What having taken ``taken`` (n,) says for ``items`` (m,): (n, m)."""
    if isinstance(scorer, HistoryScorer):
        return scorer.weights[taken[:, None], items]
    wanted, places = items.unique(return_inverse=True)
    owners, columns, values = scorer.weights.rows(taken).entries()
    near = torch.searchsorted(wanted, columns).clamp_(max=max(0, len(wanted) - 1))
    found = (wanted[near] == columns).nonzero().squeeze(1) if len(wanted) else near[:0]
    said = values.new_zeros(len(taken), len(wanted))
    said.index_put_((owners[found], near[found]), values[found], accumulate=True)
    return said[:, places]
