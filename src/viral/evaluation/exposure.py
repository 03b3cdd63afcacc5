"""Who is shown what: how the first places are shared out among the items, and a penalty for being popular.

Shapes: B users, I items.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from viral.base.language import _
from viral.data.interactions import Interactions
from viral.data.splitting import Split
from viral.evaluation.ranking import ScoreFunction, top_items

FIRST = 10  # places that are looked at
MOST_USERS, LEAST_USERS, MOST_SCORES = 10_000, 500, 300_000_000  # of a measurement: users, and scores of all of them


@dataclass(frozen=True, slots=True)
class Exposure:
    """The first ``k`` places of ``users`` users, their training interactions left out."""

    k: int
    users: int
    items: int  # that are ranked
    coverage: float  # the share of the items that are in somebody's first k
    most: float  # the share of the users who have the most recommended item there
    most_item: str  # its id
    gini: float  # of how often items are recommended: 0 all alike, towards 1 a few alone
    recommended: float  # how many users chose a recommended item in training, in the mean over all places
    taken: float  # the same over the histories of these users


def exposure(score: ScoreFunction, split: Split, k: int = FIRST) -> Exposure | None:
    """Of the users that are tested on; without a test set of those in validation or training. None without any.

    Of many users a part, evenly through the log, is ranked for: at most ``MOST_USERS``, of many items fewer.
    """
    train = split.train
    held = next((part for part in (split.test, split.valid, train) if len(part)), None)
    if held is None:
        return None
    users = held.users.unique()
    most = max(LEAST_USERS, min(MOST_USERS, MOST_SCORES // max(1, train.num_items)))
    users = users[:: -(-len(users) // most)]
    shown = torch.cat(list(top_items(score, users, train, min(k, train.num_items))))
    shown = shown[shown >= 0]
    counts = torch.bincount(shown, minlength=train.num_items)
    return _told(counts, shown, users, train, split.items.ids, k)


def in_words(told: Mapping[str, Any], name: str) -> str:
    """An exposure as ``run.json`` keeps it, in the language at work; ``name`` is that of the most recommended item."""
    taken = told["taken"]
    values = {"name": name, "k": told["k"], "most": _percent(told["most"]), "coverage": _percent(told["coverage"])}
    said = _(
        "the most recommended item, %(name)s, is in %(most)s of users' first %(k)s; "
        "%(coverage)s of all items are in those of at least one", **values,
    )  # fmt: skip
    if not taken:
        return said
    times = f"{told['recommended'] / taken:.1f}"
    return _("%(said)s; what is recommended is %(times)s times as popular as their history", said=said, times=times)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share == 0 or share >= 0.01 else f"{100 * share:.1g} %"


def _told(
    counts: Tensor, shown: Tensor, users: Tensor, train: Interactions, ids: Sequence[str], k: int
) -> Exposure | None:
    if not len(shown):
        return None
    degrees, first = train.item_degrees().double(), int(counts.argmax())
    own = train.items[torch.isin(train.users, users)]
    return Exposure(
        k,
        len(users),
        len(counts),
        int(counts.count_nonzero()) / len(counts),
        int(counts[first]) / len(users),
        ids[first],
        gini(counts),
        float(degrees[shown].mean()),
        float(degrees[own].mean()) if len(own) else 0.0,
    )


def gini(counts: Tensor) -> float:
    """Gini's coefficient of counts (I,): Σ_i (2 i - I - 1) c_i / (I Σ c), c ascending."""
    ordered, number = counts.sort().values.double(), len(counts)
    weights = 2 * torch.arange(1, number + 1, dtype=torch.float64) - number - 1
    total = float(ordered.sum()) * number
    return float(weights @ ordered) / total if total else 0.0


def above_average(train: Interactions) -> Tensor:
    """How popular items are beyond the average: max(0, z), z of log(1 + d) over all items, d users in training: (I,).

    Nothing is gained by being less popular than the average, or the items of which least is known would come first.
    """
    told = train.item_degrees().double().log1p()
    spread = float(told.std(correction=0))
    return ((told - told.mean()) / spread).clamp(min=0).float() if spread > 0 else torch.zeros(len(told))


@dataclass(frozen=True, slots=True, eq=False)
class LessPopular:
    """s'(u, i) = s(u, i) - w σ_u p_i, σ_u the standard deviation of the user's scores, p :func:`above_average`."""

    score: ScoreFunction
    popular: Tensor  # (I,): p
    weight: float  # w

    def __call__(self, users: Tensor, out: Tensor | None = None) -> Tensor:
        scores = self.score(users, out)
        return scores.sub_(self.weight * scores.std(dim=1, keepdim=True, correction=0) * self.popular.to(scores))
