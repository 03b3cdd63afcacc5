"""The vector that a new item would have, predicted from its features by a rule that is learnt from the known items.

A trained model has a vector v of every known item; the rule v̂(x) is a ridge from the features to those vectors, as in
Gantner et al., "Learning Attribute-to-Feature Mappings for Cold-Start Recommendations", ICDM 2010. With x_j the
features of item j (every modality at unit length, less its mean, side by side), K = [⟨x_i, x_j⟩] and μ the mean of v,

    v̂(x) = γ (μ + Σ_j ⟨x, x_j⟩ a_j),     a = (K + λ W⁻¹)⁻¹ (v - μ),

W the numbers of interactions (over their mean): the vector of an item with many is known better. λ is chosen by the
error on known items left out one by one, which has a closed form. A predicted vector is shorter than a true one would
be, for what is not known of an item averages out; so among known items it would never be shown. γ mends that: of the
users who have not interacted with it, a known item that is left out and predicted is to be among the first 20 of as
many as known items are on average. One factor for all does not change the order among new items. Beside vectors, memory
(:class:`~viral.models.scorers.MemoryScorer`) counts for a known item as it is and for a predicted one with its mean.
Shapes: I known items of which m are learnt from, n new ones, D the width of a vector, F features of all
modalities.
"""

from collections.abc import Mapping
from weakref import WeakKeyDictionary

import torch
import torch.nn.functional as F
from torch import Tensor

from viral.run.bundle import Bundle

PLACES = 20  # the first so many of a user are looked at
MOST_ITEMS = 2_000  # the rule is learnt from, evenly spread over all: a second or two to invert K then
MOST_USERS, MOST_SCORES = 500, 20_000_000  # the factor is learnt from
STRENGTHS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)  # of λ, in means of K's diagonal


class VectorPredictor:
    """The rule of one bundle and some modalities."""

    def __init__(self, bundle: Bundle, names: tuple[str, ...]) -> None:
        material, degrees = bundle.material, bundle.seen.item_degrees()
        there = torch.stack([material.present[name] for name in names]).any(dim=0)
        known = ((degrees > 0) & there).nonzero().squeeze(1)
        self.known = known[:: max(1, -(-len(known) // MOST_ITEMS))]  # (m,)
        features = {name: material.features[name][self.known] for name in names}
        present = {name: material.present[name][self.known] for name in names}
        self.centres = {name: _unit(x)[present[name]].mean(dim=0) for name, x in features.items()}
        self.features = self._joined(features, present)  # (m, F)
        vectors = bundle.scorer.item_vectors[self.known].double()
        self.mean = vectors.mean(dim=0)  # μ (D,)
        self.weights, left_out = _ridge(self.features, vectors - self.mean, degrees[self.known].double())
        self.factor = _factor(bundle, self.known, (left_out + self.mean).float())

    def vectors(self, features: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> Tensor:
        """v̂ of new items: (n, F) and (n,) bool by modality -> (n, D). A modality that is absent counts nothing."""
        near = self._joined(features, present) @ self.features.T  # (n, m)
        return (self.factor * (near @ self.weights + self.mean)).float()

    def _joined(self, features: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> Tensor:
        """Modalities at unit length, less their means, side by side; zeros for what is absent."""
        sides = [(_unit(features[name]) - c) * present[name][:, None] for name, c in self.centres.items()]
        return torch.cat(sides, dim=1).double()


# By bundle, and gone with it: a rule keeps nothing of the bundle's own. A title alone, a picture alone and both have a
# rule each.
_learnt: WeakKeyDictionary[Bundle, dict[tuple[str, ...], VectorPredictor]] = WeakKeyDictionary()


def predictor_of(bundle: Bundle, names: tuple[str, ...]) -> VectorPredictor:
    """The rule, learnt once: a retriever asks for it with every new item."""
    rules = _learnt.setdefault(bundle, {})
    if names not in rules:
        rules[names] = VectorPredictor(bundle, names)
    return rules[names]


def _unit(x: Tensor) -> Tensor:
    return F.normalize(x, dim=-1)


def _ridge(x: Tensor, target: Tensor, degrees: Tensor) -> tuple[Tensor, Tensor]:
    """The weights a (m, D) of the strength whose error is least, and each target as predicted without itself (m, D)."""
    kernel, share = x @ x.T, degrees / degrees.mean()
    scale = kernel.diagonal().mean().clamp(min=1e-12)
    found: tuple[float, Tensor, Tensor] | None = None
    for strength in STRENGTHS:
        inverse = torch.cholesky_inverse(torch.linalg.cholesky(kernel + torch.diag(strength * scale / share)))
        weights = inverse @ target
        errors = weights / inverse.diagonal()[:, None]  # of each, had it been left out
        error = float((errors.square().sum(dim=1) * share).sum())
        if found is None or error < found[0]:
            found = error, weights, target - errors
    assert found is not None
    return found[1], found[2]


def _factor(bundle: Bundle, known: Tensor, left_out: Tensor) -> float:
    """γ: the factor by which left-out items (m, D) are shown to as large a share of other users as known ones are."""
    seen = bundle.seen
    users = (seen.user_degrees() > 0).nonzero().squeeze(1)
    most = max(1, min(MOST_USERS, MOST_SCORES // len(bundle.items)))
    users = users[:: max(1, -(-len(users) // most))]
    place = torch.full((len(bundle.users),), -1)
    place[users] = torch.arange(len(users))
    rows = place[seen.users]
    interacted = torch.zeros(len(users), len(bundle.items), dtype=torch.bool)
    interacted[rows[rows >= 0], seen.items[rows >= 0]] = True
    scores = bundle.scorer(users).masked_fill(interacted, -torch.inf)
    least = scores.topk(min(PLACES, scores.shape[1])).values[:, -1:]  # of the last place that is shown
    open_ = ~interacted[:, known]
    share = float((scores[:, known] >= least)[open_].double().mean())
    vectors = bundle.scorer.vectors  # of item-item weights alone, a user is their history
    predicted = (interacted.float() if vectors is None else vectors.users[users]) @ left_out.T
    if vectors is not None:
        least = least - bundle.scorer.history_means()[users, None]  # the rest of the score of an item that is new
    ratios = torch.where((predicted > 0) & (least > 0), least / predicted, torch.inf)[open_]  # γ from which it is shown
    wanted = float(ratios.kthvalue(max(1, round(share * len(ratios)))).values)
    return wanted if 0 < wanted < float("inf") else 1.0
