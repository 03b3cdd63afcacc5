"""Whom a ranking serves: users with few or many interactions, items that are popular, rare or new.

Shapes: U users, I items, n users that are ranked for, H held-out pairs, K cutoff.
"""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from viral.data.interactions import Interactions
from viral.evaluation.metrics import METRICS

HEAD_SHARE = 0.2  # of the items that occur in train: what is called the short head


def user_segments(train: Interactions, users: Tensor) -> dict[str, Tensor]:
    """Which of ``users`` (n,) are ``light`` and which ``heavy``: bool (n,) each.

    Light is who has at most the median number of training interactions of these users, heavy who has more. Every user
    is one or the other; with many users at the median, light ones are more than half.
    """
    degrees = train.user_degrees()[users]
    light = degrees <= degrees.median() if len(degrees) else degrees.bool()
    return {"light": light, "heavy": ~light}


def item_segments(train: Interactions) -> dict[str, Tensor]:
    """Which items are ``head``, ``tail`` and ``cold``: bool (I,) each.

    Cold is what never occurs in train. Of the W other items, head are those that occur at least as often as the one at
    place ⌈0.2 · W⌉ by popularity (so that items of equal popularity are on one side), tail are the rest.
    """
    degrees = train.item_degrees()
    warm = degrees > 0
    ranked = degrees[warm].sort(descending=True).values
    head = warm & (degrees >= ranked[math.ceil(HEAD_SHARE * len(ranked)) - 1]) if len(ranked) else warm
    return {"head": head, "tail": warm & ~head, "cold": ~warm}


def within(
    users: Tensor, ranks: Tensor, chosen: Tensor, cutoffs: Sequence[int], metrics: Sequence[str] = ("recall", "ndcg")
) -> Mapping[str, Tensor]:
    """The metrics when only some held-out pairs count as relevant: ``recall@20`` -> float64, one for each user of them.

    ``users`` (H,) and ``ranks`` (H,) are of every held-out pair, a rank being the place among all items from 1 on, or 0
    beyond the greatest cutoff; ``chosen`` (H,) says which count. The ranking itself is of all items as before, and
    users of whom no pair counts are left out.
    """
    owners, rows, counts = torch.unique(users[chosen], return_inverse=True, return_counts=True)
    places = ranks[chosen].long()
    hits = torch.zeros(len(owners), max(cutoffs) + 1, dtype=torch.bool)
    hits[rows, places] = True
    hits = hits[:, 1:]  # column 0 took those that are not shown
    return {f"{name}@{k}": METRICS[name](hits[:, :k], counts).double() for name in metrics for k in cutoffs}
