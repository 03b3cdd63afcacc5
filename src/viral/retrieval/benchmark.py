"""How well are items recommended that came after training? Items are withheld from everything, then added cold.

A share of the items is taken out of the catalogue: their interactions, in all three parts of the log, become what is
ranked for, and neither graphs nor features nor vocabularies of the models know of them. Then each is embedded from its
features as a retriever would (:mod:`viral.retrieval.cold`), and ranked for every user twice: among the withheld items
alone, and among all items with the warm ones, where a new item must be placed before those that everybody knows.
Shapes: U users, I warm items, C withheld items, F features.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from viral.bundle import Bundle
from viral.data import Interactions, ModelInputs, Split, Vocabulary
from viral.encode.table import FeatureTable
from viral.errors import DataError, UsageError, nearest
from viral.evaluation import PairedTest, evaluate, paired_test
from viral.material import Material
from viral.models import MODELS
from viral.models.base import EmbeddingScorer, Scorer
from viral.models.newcomers import unlinked
from viral.recipe import Recipe, build
from viral.retrieval.cold import Way, embed, extended, way_of
from viral.training import build_model, fit

CUTOFF = 20
SHARE = 0.1  # of the items, withheld
ROUNDS = 2_000  # of the bootstrap
RANDOM, CONTENT = "random", "content neighbours"
Values = Mapping[str, np.ndarray]  # place -> recall by user (n,)


@dataclass(frozen=True, slots=True)
class ColdRecall:
    """Recall@20 of withheld items with its 95 % bootstrap interval over users."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ColdRow:
    """One model's answer; the tests are per user, of the ranking among the withheld items."""

    model: str
    way: str  # own, neighbors, or what is no model
    cold: ColdRecall  # ranked among the withheld items
    overall: ColdRecall  # ranked among all items
    against_random: PairedTest
    against_content: PairedTest


@dataclass(frozen=True, slots=True, eq=False)
class Withheld:
    """A log without some items, and those items."""

    split: Split  # over the other items; ``test`` is empty
    item_ids: tuple[str, ...]  # (C,)
    relevant: Interactions  # (user, withheld item) pairs, items counted from 0 to C


def cold_benchmark(
    parts: Split,
    tables: Mapping[str, FeatureTable],
    recipes: Mapping[str, Recipe],
    *,
    share: float = SHARE,
    seeds: Sequence[int] = (0,),
) -> list[ColdRow]:
    """Rows for random order, content-only neighbours and every recipe by name, each by every way that it has.

    For each seed other items are withheld and the models are trained anew with that seed; users' values of all seeds go
    into one mean. Raises ``UsageError`` for a share that withholds nothing or everything, or an unknown model.
    """
    for name, recipe in recipes.items():
        if recipe.model not in MODELS:
            raise UsageError(f"unknown model {recipe.model!r} of {name!r}", hint=nearest(recipe.model, MODELS))
    found: dict[tuple[str, str], list[Values]] = {}
    for seed in seeds:
        withheld = withhold(parts, share, seed)
        for key, values in _measured(withheld, tables, recipes, seed):
            found.setdefault(key, []).append(values)
    pooled = {
        key: {place: np.concatenate([values[place] for values in of_seeds]) for place in of_seeds[0]}
        for key, of_seeds in found.items()
    }
    return [_row(key, values, pooled) for key, values in pooled.items()]


def _row(key: tuple[str, str], values: Values, pooled: Mapping[tuple[str, str], Values]) -> ColdRow:
    against = (paired_test(values["cold"], pooled[(name, "")]["cold"], rounds=ROUNDS) for name in (RANDOM, CONTENT))
    return ColdRow(*key, _interval(values["cold"]), _interval(values["overall"]), *against)


def withhold(parts: Split, share: float, seed: int) -> Withheld:
    """Take a share of the items that occur in the log out of it."""
    log = parts.train.union(parts.valid).union(parts.test)
    there = log.items.unique()
    count = round(share * len(there))
    if not 0 < count < len(there):
        raise UsageError(f"a share of {share} withholds {count} of {len(there)} items", hint="for example 0.1")
    chosen = there[torch.randperm(len(there), generator=torch.Generator().manual_seed(seed))[:count]].sort().values
    mask = torch.zeros(len(parts.items), dtype=torch.bool)
    mask[chosen] = True
    place = torch.where(mask, mask.cumsum(0) - 1, (~mask).cumsum(0) - 1)  # among the withheld, or among the others
    kept = Vocabulary([one for one, out in zip(parts.items.ids, mask.tolist(), strict=True) if not out], "item")

    def part(of: Interactions, rows: Tensor, size: int) -> Interactions:
        return Interactions(of.users[rows], place[of.items[rows]], of.num_users, size)

    train, valid = (part(one, ~mask[one.items], len(kept)) for one in (parts.train, parts.valid))
    nothing = Interactions(train.users[:0], train.items[:0], train.num_users, len(kept))
    known = train.user_degrees() > 0  # of somebody who took nothing else nothing can be foretold
    relevant = part(log, mask[log.items] & known[log.users], count)
    ids = tuple(parts.items.ids[item] for item in chosen.tolist())
    return Withheld(Split(train, valid, nothing, parts.users, kept), ids, relevant)


def _measured(
    withheld: Withheld, tables: Mapping[str, FeatureTable], recipes: Mapping[str, Recipe], seed: int
) -> Iterator[tuple[tuple[str, str], Values]]:
    """Recall by user of everything that ranks, once."""
    warm, cold = withheld.split, withheld.item_ids
    inputs = ModelInputs.of(warm, tables.values())
    features, present = _of_withheld(tables, cold, inputs)
    rng = torch.Generator().manual_seed(seed)
    drawn = torch.rand(len(warm.users), len(warm.items) + len(cold), generator=rng)
    yield (RANDOM, ""), _recall(EmbeddingScorer(drawn, torch.eye(drawn.shape[1])), withheld)
    yield (CONTENT, ""), _recall(_content(inputs, features, present), withheld)
    titles = ("",) * len(warm.items)
    for name, recipe in recipes.items():
        model_class = MODELS[recipe.model]
        config = build(model_class.Config, recipe.config, where=f"[config] of {name!r}")
        model: Any = build_model(model_class, inputs, config, seed)
        fit(model, warm, replace(recipe.train, seed=seed))
        given = {m: inputs.given(m) for m in inputs.features}
        material = Material({}, inputs.features, given, {}, model.state_dict(), unlinked(model))
        about = {"recipe": {"model": recipe.model, "config": dict(recipe.config)}}
        bundle = Bundle(model.scorer(), warm.users, warm.items, titles, warm.train, about, material)
        ways: list[Way] = ["own", "neighbors"] if way_of(bundle) == "own" else ["neighbors"]
        for way in ways:
            vectors = embed(bundle, features, present, way)
            scorer = extended(bundle, [f"withheld {n}" for n in range(len(cold))], [""] * len(cold), vectors).scorer
            yield (name, way), _recall(scorer, withheld)


def _of_withheld(
    tables: Mapping[str, FeatureTable], ids: tuple[str, ...], inputs: ModelInputs
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Features (C, F) and presence (C,) of the withheld items, by modality."""
    aligned = {name: table.aligned(ids) for name, table in tables.items() if name in inputs.features}
    features = {name: torch.from_numpy(values) for name, (values, _) in aligned.items()}
    present = {name: torch.from_numpy(there) for name, (_, there) in aligned.items()}
    if not present or not torch.stack(list(present.values())).any(dim=0).all():
        raise DataError("a withheld item has no features at all", hint="viral encode DATASET")
    return features, present


def _content(inputs: ModelInputs, features: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> EmbeddingScorer:
    """⟨Σ_{j ∈ N_u} x_j, x_i⟩ over all modalities at unit length: nothing is learnt."""
    unit = [
        torch.cat(
            [
                F.normalize(inputs.features[m], dim=-1) * inputs.given(m)[:, None],
                F.normalize(features[m], dim=-1) * present[m][:, None],
            ]
        )
        for m in features
    ]
    items = torch.cat(unit, dim=1)  # (I + C, ΣF)
    offsets, taken = inputs.train.rows()
    users = F.embedding_bag(taken, items, offsets, mode="sum", include_last_offset=True)
    return EmbeddingScorer(users, items)


@dataclass(frozen=True, slots=True, eq=False)
class _Last:
    """The last columns of a scorer: those of the withheld items."""

    scorer: Scorer
    count: int

    def __call__(self, users: Tensor, out: Tensor | None = None) -> Tensor:
        scores = self.scorer(users)[:, -self.count :].contiguous()
        return scores if out is None else out.copy_(scores)


def _recall(scorer: Scorer, withheld: Withheld) -> Values:
    """Recall@20 by user, among the withheld items and among all."""
    pairs, train = withheld.relevant, withheld.split.train
    count, total = len(withheld.item_ids), len(withheld.split.items) + len(withheld.item_ids)
    nobody = Interactions(pairs.users[:0], pairs.items[:0], pairs.num_users, count)
    alone = evaluate(_Last(scorer, count), pairs, nobody, (CUTOFF,), metrics=("recall",))
    shifted = Interactions(pairs.users, pairs.items + total - count, pairs.num_users, total)
    seen = Interactions(train.users, train.items, train.num_users, total)
    among = evaluate(scorer, shifted, seen, (CUTOFF,), metrics=("recall",))
    name = f"recall@{CUTOFF}"
    return {"cold": alone.per_user[name].numpy(), "overall": among.per_user[name].numpy()}


def _interval(values: np.ndarray) -> ColdRecall:
    rng = np.random.default_rng(0)
    means = np.array([values[rng.integers(0, len(values), len(values))].mean() for _ in range(ROUNDS)])
    low, high = np.quantile(means, [0.025, 0.975])
    return ColdRecall(float(values.mean()), float(low), float(high))
