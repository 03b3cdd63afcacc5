"""How well are items recommended that came after training? Items are withheld from everything, then added cold.

A share of the items is taken out of the catalogue: their interactions, in all three parts of the log, become what is
ranked for, and neither graphs nor features nor vocabularies of the models know of them. Then each is embedded from its
features as a retriever would (:mod:`viral.run.retrieval.new_items`), and Recall@20 is measured in three places: the
withheld items among themselves (``withheld``); the withheld items among all, where a new one must be placed before
those that everybody knows (``all``); and the others' test interactions among all (``others``), which shows whether new
items are placed well or just everywhere in front.
Shapes: U users, I warm items, C withheld items, F features, n users who are measured.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from viral.base.errors import DataError, UsageError
from viral.data.features import FeatureTable
from viral.data.inputs import ModelInputs
from viral.data.interactions import Interactions
from viral.data.splitting import Split
from viral.data.vocabulary import Vocabulary
from viral.evaluation import evaluate
from viral.models.scorers import EmbeddingScorer, Scorer
from viral.run.bundle import Bundle
from viral.run.bundle_extras import Material
from viral.run.configuration import Configured
from viral.run.fitted_model import FittedModel, fit_model
from viral.run.retrieval.new_items import embed, extended, ways_of
from viral.training import TrainReport

CUTOFF = 20
SHARE = 0.1  # of the items, withheld
PLACES = ("withheld", "all", "others")
Tables = Mapping[str, FeatureTable]


@dataclass(frozen=True, slots=True, eq=False)
class Recalls:
    """Recall@20 of the users of whom something is ranked for."""

    users: npt.NDArray[np.int64]  # (n,)
    values: npt.NDArray[np.float64]  # (n,)


ByPlace = Mapping[str, Recalls]


@dataclass(frozen=True, slots=True, eq=False)
class Withheld:
    """A log without some items, and those items."""

    split: Split  # over the other items
    item_ids: tuple[str, ...]  # (C,)
    relevant: Interactions  # (user, withheld item) pairs, items counted from 0 to C


def withhold(parts: Split, share: float, seed: int) -> Withheld:
    """Take a share of the items that occur in the log out of it.

    The items are drawn in blocks of one permutation, seed by seed, so that the first 1 / ``share`` seeds withhold
    different items. Raises ``UsageError`` for a share that withholds nothing or everything.
    """
    log = parts.train.union(parts.valid).union(parts.test)
    there = log.items.unique()
    count = round(share * len(there))
    if not 0 < count < len(there):
        raise UsageError(f"a share of {share} withholds {count} of {len(there)} items", hint="for example 0.1")
    round_, block = divmod(seed, len(there) // count)
    order = torch.randperm(len(there), generator=torch.Generator().manual_seed(round_))
    chosen = there[order[block * count : (block + 1) * count]].sort().values
    mask = torch.zeros(len(parts.items), dtype=torch.bool)
    mask[chosen] = True
    place = torch.where(mask, mask.cumsum(0) - 1, (~mask).cumsum(0) - 1)  # among the withheld, or among the others
    kept = Vocabulary([one for one, out in zip(parts.items.ids, mask.tolist(), strict=True) if not out], "item")

    def part(of: Interactions, rows: Tensor, size: int) -> Interactions:
        return Interactions(of.users[rows], place[of.items[rows]], of.num_users, size)

    train, valid, test = (part(one, ~mask[one.items], len(kept)) for one in (parts.train, parts.valid, parts.test))
    known = train.user_degrees() > 0  # nothing can be predicted for a user without other interactions
    relevant = part(log, mask[log.items] & known[log.users], count)
    ids = tuple(parts.items.ids[item] for item in chosen.tolist())
    return Withheld(Split(train, valid, test, parts.users, kept), ids, relevant)


def by_chance(withheld: Withheld) -> dict[str, Recalls]:
    """What random order has in expectation: of m candidates, each is among the first 20 with probability 20 / m."""
    warm, count = withheld.split, len(withheld.item_ids)
    candidates = len(warm.items) + count - warm.train.user_degrees()  # (U,)
    alone = torch.full_like(candidates, count)

    def expected(pairs: Interactions, of: Tensor) -> Recalls:
        users = pairs.users.unique()
        return Recalls(users.numpy(), (CUTOFF / of[users].double()).clamp(max=1).numpy())

    pairs = {"withheld": withheld.relevant, "all": withheld.relevant, "others": warm.test}
    return {p: expected(of, alone if p == "withheld" else candidates) for p, of in pairs.items() if len(of)}


def by_content(withheld: Withheld, tables: Tables) -> dict[str, Recalls]:
    """What content alone has: ⟨Σ_{j ∈ N_u} x_j, x_i⟩ over all modalities at unit length; nothing is learnt."""
    inputs = ModelInputs.of(withheld.split, tables.values())
    features, present = _of_withheld(tables, withheld.item_ids, inputs)
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
    offsets, history = inputs.train.rows()
    users = F.embedding_bag(history, items, offsets, mode="sum", include_last_offset=True)
    return _recalls(EmbeddingScorer(users, items), withheld)


def by_model(
    withheld: Withheld, tables: Tables, chosen: Configured, checkpoint: Path | None
) -> tuple[dict[str, dict[str, Recalls]], TrainReport]:
    """Train without the withheld items, embed them in every way that the model has, and measure each way."""
    inputs = ModelInputs.of(withheld.split, tables.values(), fill=chosen.recipe.fill)
    features, present = _of_withheld(tables, withheld.item_ids, inputs)
    fitted = fit_model(chosen, inputs, withheld.split, checkpoint=checkpoint)
    bundle = _bundle(fitted, fitted.ranker().scorer)
    names = [f"withheld {n}" for n in range(len(withheld.item_ids))]
    found: dict[str, dict[str, Recalls]] = {}
    for way in ways_of(bundle):
        vectors = embed(bundle, features, present, way)
        found[way] = _recalls(extended(bundle, names, [""] * len(names), vectors).scorer, withheld)
    return found, fitted.report


def _bundle(fitted: FittedModel[TrainReport], scorer: Any) -> Bundle:
    """What the run would leave."""
    model, recipe, warm, inputs = fitted.model, fitted.chosen.recipe, fitted.split, fitted.inputs
    given = {m: inputs.given(m) for m in inputs.features}
    material = Material({}, inputs.features, given, inputs.encoders, model.state_dict(), model.unlinked())
    about = {"recipe": {"model": recipe.model, "config": dict(recipe.config)}}
    titles = ("",) * len(warm.items)
    return Bundle(scorer, warm.users, warm.items, titles, warm.train, about, material)


def _of_withheld(
    tables: Tables, ids: tuple[str, ...], inputs: ModelInputs
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Features (C, F) and presence (C,) of the withheld items, by modality."""
    aligned = {name: table.aligned(ids) for name, table in tables.items() if name in inputs.features}
    features = {name: torch.from_numpy(values) for name, (values, _) in aligned.items()}
    present = {name: torch.from_numpy(there) for name, (_, there) in aligned.items()}
    if not present or not torch.stack(list(present.values())).any(dim=0).all():
        raise DataError("a withheld item has no features at all", hint="viral encode DATASET")
    return features, present


@dataclass(frozen=True, slots=True, eq=False)
class _Last:
    """The last columns of a scorer: those of the withheld items."""

    scorer: Scorer
    count: int

    def __call__(self, users: Tensor, out: Tensor | None = None) -> Tensor:
        scores = self.scorer(users)[:, -self.count :].contiguous()
        return scores if out is None else out.copy_(scores)


def _recalls(scorer: Scorer, withheld: Withheld) -> dict[str, Recalls]:
    """Recall@20 by user in the three places."""
    pairs, train, test = withheld.relevant, withheld.split.train, withheld.split.test
    count, total = len(withheld.item_ids), len(withheld.split.items) + len(withheld.item_ids)
    nobody = Interactions(pairs.users[:0], pairs.items[:0], pairs.num_users, count)
    shifted = Interactions(pairs.users, pairs.items + total - count, pairs.num_users, total)
    seen, wider = (Interactions(of.users, of.items, of.num_users, total) for of in (train, test))
    rankings: dict[str, tuple[Any, Interactions, Interactions]] = {
        "withheld": (_Last(scorer, count), pairs, nobody),
        "all": (scorer, shifted, seen),
        "others": (scorer, wider, seen),
    }
    found = {}
    for place, (ranker, wanted, masked) in rankings.items():
        if len(wanted):
            metrics = evaluate(ranker, wanted, masked, (CUTOFF,), metrics=("recall",))
            found[place] = Recalls(metrics.users.numpy(), metrics.per_user[f"recall@{CUTOFF}"].numpy())
    return found
