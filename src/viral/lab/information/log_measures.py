"""The parts of a log and two tables of features by both estimators, for several numbers of cells."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from viral.base.errors import DataError, UsageError
from viral.data.interactions import Interactions
from viral.data.splitting import Split
from viral.lab.information.choice_pairs import NEGATIVES, Pairs, draw_pairs, item_folds
from viral.lab.information.decomposition import FloatArray, IntArray
from viral.lab.information.estimation import CORRECTIONS, InformationEstimate, PairCells, estimate, quantile_labels
from viral.lab.information.feature_clusters import cluster_labels, user_groups
from viral.lab.information.predicted_choices import Fold, learn, predict

CLUSTERS = (4, 8, 16)


@dataclass(frozen=True, kw_only=True)
class InformationSettings:
    """How to measure."""

    clusters: tuple[int, ...] = CLUSTERS
    groups: int = 4
    correction: str = "permutation"
    bootstrap: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.clusters or min(self.clusters) < 2 or max(self.clusters) > 256:
            raise UsageError(f"clusters {self.clusters}", hint="numbers from 2 to 256, as in --clusters 4,8,16")
        if self.correction not in CORRECTIONS:
            raise UsageError(f"unknown correction {self.correction!r}", hint=" or ".join(CORRECTIONS))
        if self.groups < 1 or self.bootstrap < 0 or self.seed < 0:
            raise UsageError("groups at least 1, bootstrap and seed at least 0", where="information")


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """Pairs with what each source predicts for them."""

    pairs: Pairs
    scores: dict[str, FloatArray]

    def labels(self, count: int) -> PairCells:
        """Cells by score. One group: a score is about its user already."""
        names = ("text", "visual", "both", "common_text", "common_visual")
        text, visual, both, common_text, common_visual = (quantile_labels(self.scores[n], count) for n in names)
        one = np.zeros_like(self.pairs.users)
        chosen, users = self.pairs.chosen, self.pairs.users
        return PairCells(text, visual, both, chosen, users, one, common_text, common_visual)


def score_pairs(
    split: Split, features: tuple[FloatArray, FloatArray], seed: int, negatives: Sequence[str] = NEGATIVES
) -> dict[str, Scored]:
    """Every interaction of the log, predicted for items held out, by kind of negatives."""
    seen = everything(split)
    folds = item_folds(seen.num_items, seed)
    learnt: list[Fold] = learn(split.train, features, folds, seed)
    found = {}
    for kind in negatives:
        pairs = draw_pairs(seen, seen, folds, candidates(split), kind, seed=seed)
        found[kind] = Scored(pairs, predict(learnt, pairs))
    return found


def everything(split: Split) -> Interactions:
    """Train, validation and test together."""
    return split.train.union(split.valid).union(split.test)


def candidates(split: Split) -> IntArray:
    """Items that occur in training: what training draws negatives from, ascending."""
    return np.unique(split.train.items.numpy())


def by_scores(scored: Scored, settings: InformationSettings) -> dict[int, InformationEstimate | str]:
    """The estimate for every number of cells, or why there is none."""
    return {count: _or_reason(scored.labels(count), settings) for count in settings.clusters}


def by_clusters(
    split: Split,
    features: tuple[FloatArray, FloatArray],
    profiles: FloatArray,
    settings: InformationSettings,
    negatives: str,
) -> dict[int, InformationEstimate | str]:
    """Clustered BROJA on validation and test pairs, for every number of clusters, or why there is none."""
    groups = user_groups(profiles, min(settings.groups, len(profiles)), settings.seed)
    one_fold = np.zeros(split.train.num_items, dtype=np.int64)
    held_out, fit = split.valid.union(split.test), candidates(split)
    pairs = draw_pairs(held_out, everything(split), one_fold, fit, negatives, seed=settings.seed)
    found: dict[int, InformationEstimate | str] = {}
    for count in settings.clusters:
        try:
            labels = cluster_labels(features, pairs, groups, fit, count, settings.seed)
        except UsageError as error:
            found[count] = str(error)
            continue
        found[count] = _or_reason(labels, settings)
    return found


def _or_reason(labels: PairCells, settings: InformationSettings) -> InformationEstimate | str:
    try:
        return estimate(labels, correction=settings.correction, bootstrap=settings.bootstrap, seed=settings.seed)
    except DataError as error:
        return str(error)


def require_one(found: dict[str, dict[int, InformationEstimate | str]]) -> None:
    """Refuse when not one number of cells could be measured, with the reason and what to do."""
    answers: list[Any] = [answer for by_count in found.values() for answer in by_count.values()]
    if all(isinstance(answer, str) for answer in answers):
        raise DataError(f"no table has enough counts: {answers[0]}", where="information", hint="use fewer --clusters")
