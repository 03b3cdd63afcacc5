"""Full ranking in blocks of users: every item is a candidate, items already seen are masked.

Shapes: B users of a block, I items, K cutoff.
"""

from collections.abc import Iterator
from typing import Protocol

import torch
from torch import Tensor

from viral.data.interactions import Interactions
from viral.evaluation.best import Columns, best

BLOCK_BYTES = 16_000_000  # of scores held at once: small enough to stay in a processor's cache


class ScoreFunction(Protocol):
    """Anything that scores every item for a batch of users."""

    def __call__(self, users: Tensor, out: Tensor | None = None) -> Tensor: ...


def top_items(
    score: ScoreFunction, users: Tensor, seen: Interactions | None, k: int, *, block_bytes: int = BLOCK_BYTES
) -> Iterator[Tensor]:
    """The k best unseen items of each user, best first, block by block: int64 (B, k).

    Memory is ``block_bytes`` of scores, whatever the number of users and items. A user with fewer than k unseen items
    has -1 in the places left over.
    """
    if not len(users):
        return
    probe = score(users[:1])  # tells the number of items and the precision
    num_items = probe.shape[1]
    k = min(k, num_items)
    size = max(1, block_bytes // (4 * num_items))
    columns = Columns.of(num_items, k)
    memory = columns.memory(min(size, len(users)), probe)
    offsets, items = seen.rows() if seen is not None else (None, None)
    for block in users.split(size):
        scores = memory[: len(block)]
        room = scores[:, :num_items]
        given = score(block, out=room)
        if given is not room:  # a scorer of one's own may return another table
            room.copy_(given)
        if offsets is not None and items is not None:
            mask_seen(scores, block, offsets, items)
        yield best(scores, columns, k)


def mask_seen(scores: Tensor, users: Tensor, offsets: Tensor, items: Tensor) -> None:
    """Set the scores (B, ≥ I) of what each user has seen to -inf, in place."""
    starts, stops = offsets[users], offsets[users + 1]
    lengths = stops - starts
    first = lengths.cumsum(0) - lengths
    places = torch.arange(int(lengths.sum())) + (starts - first).repeat_interleave(lengths)
    rows = torch.arange(len(users)).repeat_interleave(lengths)
    seen = (rows * scores.shape[1] + items[places]).to(scores.device)
    scores.view(-1).index_fill_(0, seen, -torch.inf)
