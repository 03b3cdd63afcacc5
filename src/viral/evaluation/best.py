"""The k best columns of every row, exactly, in about one pass over the scores.

A threshold that at least k scores of a row reach is had from maxima of maxima of columns; the few scores that reach it
are found by the same maxima, and they alone are ordered. Shapes: B rows, I columns, G groups of them, C groups of
groups, K places, n candidates.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

GROUP = 16  # columns that one maximum stands for
PER_PLACE = 3  # maxima of maxima for each place: the more, the fewer scores reach the threshold
MOST_PER_PLACE = 32  # groups that reach it: a row with more is full of equal scores, and is ordered whole


@dataclass(frozen=True, slots=True)
class Columns:
    """How wide the rows of a block are in memory: what is left over behind the I columns is -inf."""

    num_columns: int
    num_groups: int  # G, a multiple of C; a group is GROUP columns side by side
    num_maxima: int  # C, 0 where there are too few columns to group

    @classmethod
    def of(cls, num_columns: int, k: int) -> "Columns":
        """Groups for the k best of ``num_columns``."""
        groups = -(-num_columns // GROUP)
        fold = groups // max(1, PER_PLACE * k)
        maxima = -(-groups // fold) if fold else 0
        return cls(num_columns, maxima * fold, maxima)

    @property
    def width(self) -> int:
        return self.num_groups * GROUP if self.num_maxima else self.num_columns

    def memory(self, rows: int, like: Tensor) -> Tensor:
        """Room for the scores of a block: (B, width), of which the first I columns are to be filled."""
        return like.new_full((rows, self.width), -torch.inf)


def best(scores: Tensor, columns: Columns, k: int) -> Tensor:
    """The k best columns of each row of (B, width), best first: int64 (B, k), the same as of ``plain``."""
    if not columns.num_maxima or scores.dtype != torch.float32:
        return plain(scores[:, : columns.num_columns], k)
    maxima = F.max_pool1d(scores[:, None], GROUP)[:, 0]  # (B, G)
    threshold = _kth_largest(maxima.view(len(scores), -1, columns.num_maxima).amax(dim=1), k)  # (B,)
    reach = maxima >= threshold[:, None]
    groups = reach.view(-1).nonzero().squeeze(1)
    if len(groups) > MOST_PER_PLACE * k * len(scores):  # rows full of equal scores
        reach &= reach.sum(dim=1, keepdim=True) <= MOST_PER_PLACE * k
        groups = reach.view(-1).nonzero().squeeze(1)
    keys, counts = _candidates(scores, threshold, groups, columns)
    odd = (counts < k) | (threshold == -torch.inf)
    top = torch.zeros(len(scores), k, dtype=torch.int64, device=scores.device)
    if len(keys):
        keys = _ascending(keys)
        places = (counts.cumsum(0) - counts)[:, None] + torch.arange(k + 1, device=scores.device)
        found = keys[places.clamp_(max=len(keys) - 1)]  # (B, k + 1): one more, for it may be as good as the last
        top = found[:, :k] & ((1 << _bits(columns)) - 1)
        values = found >> _bits(columns)
        odd |= (values[:, 1:] == values[:, :-1]).any(dim=1)
    if bool(odd.any()):  # which of equal scores comes first is for the plain way to say
        top[odd] = plain(scores[odd, : columns.num_columns], k)
    return top


def plain(scores: Tensor, k: int) -> Tensor:
    """The k best of each row by ``topk``: (B, I) -> int64 (B, k), -1 in the places for which only -inf is left."""
    found = scores.topk(k)
    return found.indices.masked_fill_(found.values == -torch.inf, -1)


def _candidates(scores: Tensor, threshold: Tensor, groups: Tensor, columns: Columns) -> tuple[Tensor, Tensor]:
    """The scores of ``groups`` that reach their row's threshold as numbers that sort by row, falling score, column.

    With how many a row has (B,). Sorted as numbers they are several times quicker than as pairs.
    """
    rows = torch.div(groups, columns.num_groups, rounding_mode="floor")
    members = scores.view(-1, GROUP).index_select(0, groups)
    kept = (members >= threshold.index_select(0, rows)[:, None]).view(-1).nonzero().squeeze(1)
    places = torch.div(kept, GROUP, rounding_mode="floor")
    rows = rows.index_select(0, places)
    keys = (rows << 32) + _falling(members.view(-1).index_select(0, kept))
    columns_of = (groups.index_select(0, places) - rows * columns.num_groups) * GROUP + kept % GROUP
    return (keys << _bits(columns)) + columns_of, torch.bincount(rows, minlength=len(scores))


def _falling(values: Tensor) -> Tensor:
    """float32 as whole numbers in [0, 2^32) that fall as the values rise; both zeros are one."""
    bits = (values + 0.0).view(torch.int32)
    rising = bits ^ ((bits >> 31) & 0x7FFFFFFF)
    return 0x7FFFFFFF - rising.long()


def _bits(columns: Columns) -> int:
    return columns.width.bit_length()


def _kth_largest(values: Tensor, k: int) -> Tensor:
    """(B, C) -> (B,). On a processor numpy's is several times quicker than torch's."""
    if values.device.type != "cpu":
        return values.topk(k).values[:, -1]
    place = values.shape[1] - k
    return torch.from_numpy(np.partition(values.numpy(), place, axis=1)[:, place])


def _ascending(keys: Tensor) -> Tensor:
    """(n,) sorted."""
    return torch.from_numpy(np.sort(keys.numpy())) if keys.device.type == "cpu" else keys.sort().values
