"""An item that was not there when the model was trained, embedded from its features without training.

There are three ways. *Predicted*: by a rule from features to vectors that is learnt from the known items
(:mod:`viral.run.retrieval.feature_prediction`); for every model, and used wherever there are items enough to learn
from. *Own*: where the model has a way of its own (``Recommender.embed_new_items``). VIRAL as published makes items of
features alone: its encoders embed the new item and the item graph links it to its nearest items
(:mod:`viral.models.viral.new_items`), and the vector is exactly that of an item which had been in the catalogue without
interactions. *Neighbors*: the weighted mean of the nearest warm items' vectors,

    v = Σ_j a_j v_j,   a_j = max(0, s_j) / Σ max(0, s_j),   s_j = mean_m cos(x_m, x_m,j) over the k = 10 nearest,

m the modalities that the model reads (all there are, where it reads none) and of which the new item has features. A
score, being linear in v, is then the same mean of the scores of the nearest items: so it is for item-item weights too.

All of that is the vectors' side of a score; what a memory counts for a new item is in
:meth:`viral.models.scorers.MemoryScorer.extend`.
Shapes: n new items, I known items, D the width of a vector, F features.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from viral.base.errors import DataError
from viral.base.recipe import build
from viral.data.inputs import ModelInputs
from viral.data.interactions import Interactions
from viral.data.vocabulary import Vocabulary
from viral.graph.blocks import row_blocks
from viral.models import MODELS, ItemFeatures, Recommender, Trained
from viral.models.viral.config import BeyondConfig, sources_of
from viral.run.bundle import Bundle
from viral.run.bundle_extras import Material
from viral.run.retrieval.feature_prediction import predictor_of
from viral.run.retrieval.similarity import FUSED, missing

NEIGHBORS = 10  # warm items whose mean stands for a new one
ENOUGH_ITEMS = 100  # warm ones, for a rule to be learnt from
Way = Literal["foretold", "own", "neighbors"]  # as answers and kept studies have them
PREDICTED: Way = "foretold"


@dataclass(frozen=True, slots=True, eq=False)
class ColdItem:
    """A new item as the bundle's model sees it."""

    title: str
    description: str  # of its picture; empty without one
    features: Mapping[str, Tensor]  # modality -> (F,), of what could be encoded
    vector: Tensor  # (D,), the item's side of a score
    way: Way

    def side(self, by: str) -> Tensor:
        """The vector (``fused``), or a modality's features; ``DataError`` where it has none."""
        found = self.vector if by == FUSED else self.features.get(by)
        if found is None:
            raise missing(repr(self.title), by)
        return found


def model_of(bundle: Bundle) -> tuple[type[Recommender[Any]], Any] | None:
    """The class and the configuration of the bundle's model; None where it is not known here.

    A model from outside the project is known once its module has been imported: no code is imported because a bundle
    names it.
    """
    recipe = bundle.about.get("recipe", {})
    name, settings = str(recipe.get("model")), recipe.get("config", {})
    module, _, class_name = name.partition(":")
    found = MODELS.get(name) or getattr(sys.modules.get(module), class_name, None)
    if not (isinstance(found, type) and issubclass(found, Recommender)):
        return None
    model = found.variant(settings)
    return model, build(model.Config, settings, where="the bundle's recipe")


def config_of(bundle: Bundle) -> Any:
    """The configuration of the bundle's model; None where that is not known here."""
    known = model_of(bundle)
    return None if known is None else known[1]


def read_by(bundle: Bundle) -> tuple[str, ...]:
    """The modalities that the bundle's model reads; none where it reads none, or is not known here."""
    config, kept = config_of(bundle), bundle.material
    if isinstance(config, BeyondConfig):
        return sources_of(config, ModelInputs(bundle.seen, kept.features, kept.present, kept.encoders))
    return tuple(dict.fromkeys(getattr(config, "sources", {}).values()))


def embed(
    bundle: Bundle, features: Mapping[str, Tensor], present: Mapping[str, Tensor], way: Way | None = None
) -> Tensor:
    """Vectors (n, D) of items with these features, (n, F) by modality and (n,) bool whether they are the item's own.

    By the first of the bundle's ways unless ``way`` names another. Raises ``DataError`` where the bundle keeps no
    features, or an item has none of its own.
    """
    if not bundle.material.features:
        raise DataError("the bundle keeps no features, so it cannot embed a new item", hint="train again")
    way = way or way_of(bundle)
    if way == PREDICTED:
        return _predicted(bundle, features, present)
    return _own(bundle, features, present) if way == "own" else _mean_of_neighbors(bundle, features, present)


def ways_of(bundle: Bundle) -> tuple[Way, ...]:
    """How the bundle can embed new items, the way that is used first."""
    enough = int((bundle.seen.item_degrees() > 0).sum()) >= ENOUGH_ITEMS
    return ((PREDICTED,) if enough else ()) + trained_ways_of(bundle)


def trained_ways_of(bundle: Bundle) -> tuple[Way, ...]:
    """The ways that ask only what the model itself has learnt."""
    return ("own", "neighbors") if _own_modalities(bundle) else ("neighbors",)


def _own_modalities(bundle: Bundle) -> tuple[str, ...]:
    known = model_of(bundle)
    return () if known is None else known[0].new_item_modalities(known[1], _trained(bundle.material))


def _trained(material: Material) -> Trained:
    return Trained(material.parameters, ItemFeatures(material.features, material.present), material.unlinked)


def way_of(bundle: Bundle) -> Way:
    """How the bundle embeds new items."""
    return ways_of(bundle)[0]


def _predicted(bundle: Bundle, features: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> Tensor:
    names = tuple(name for name in bundle.material.features if name in features and present[name].any())
    if not names or not torch.stack([present[name] for name in names]).any(dim=0).all():
        raise _featureless()
    return predictor_of(bundle, names).vectors(features, present)


def _own(bundle: Bundle, features: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> Tensor:
    known, material = model_of(bundle), bundle.material
    assert known is not None
    filled = {name: _filled(name, features, present, material) for name in _own_modalities(bundle)}
    own = {name: present.get(name, torch.zeros(len(x), dtype=torch.bool)) for name, x in filled.items()}
    return known[0].embed_new_items(known[1], _trained(material), ItemFeatures(filled, own))


def _featureless() -> DataError:
    return DataError("a new item has no features that the bundle's items have", hint="give it a title or a picture")


def _filled(name: str, features: Mapping[str, Tensor], present: Mapping[str, Tensor], material: Material) -> Tensor:
    """Features of one modality (n, F), the mean of the known items in the place of what is absent."""
    known = material.features[name]
    mean = known[material.present[name]].mean(dim=0)
    if name not in features:
        return mean.expand(len(next(iter(features.values()))), -1)
    return torch.where(present[name][:, None], features[name], mean)


def nearest_warm(
    bundle: Bundle, features: Mapping[str, Tensor], present: Mapping[str, Tensor], k: int = NEIGHBORS
) -> tuple[Tensor, Tensor]:
    """Similarities s and indices (n, k) of the warm items most like each new one."""
    material, read = bundle.material, read_by(bundle)
    names = [name for name in features if name in material.features and name in (read or features)]
    names = names or [name for name in features if name in material.features]
    if not names or not len(features[names[0]]):
        raise _featureless()
    known = {name: F.normalize(material.features[name], dim=-1) for name in names}
    warm = bundle.seen.item_degrees() > 0
    values, indices = [], []
    for rows in row_blocks(len(features[names[0]]), len(warm)):
        new = {name: F.normalize(features[name][rows], dim=-1) for name in names}
        likeness = _likeness(new, {name: present[name][rows] for name in names}, known, material.present)
        best = likeness.masked_fill_(~warm, -torch.inf).topk(min(k, int(warm.sum())))
        values.append(best.values)
        indices.append(best.indices)
    return torch.cat(values), torch.cat(indices)


def _likeness(
    new: Mapping[str, Tensor], present: Mapping[str, Tensor], known: Mapping[str, Tensor], given: Mapping[str, Tensor]
) -> Tensor:
    """The mean of the cosines over the modalities that both have, (n, I); -∞ where there is none."""
    total, count = torch.zeros(0), torch.zeros(0)
    for name, unit in known.items():
        both = present[name][:, None] & given[name]  # (n, I)
        cosines = (new[name] @ unit.T).mul_(both)
        total, count = (total.add_(cosines), count.add_(both)) if len(count) else (cosines, both.float())
    if not (count.sum(dim=1) > 0).all():
        raise _featureless()
    return total.div_(count.clamp(min=1)).masked_fill_(count == 0, -torch.inf)


def _mean_of_neighbors(bundle: Bundle, features: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> Tensor:
    similarities, nearest = nearest_warm(bundle, features, present)
    weights = similarities.clamp(min=0) + 1e-9 * (similarities > -torch.inf)  # nothing like it: all alike
    weights = weights / weights.sum(dim=1, keepdim=True)
    vectors = bundle.scorer.item_vectors
    blocks = row_blocks(len(nearest), nearest.shape[1] * vectors.shape[1])
    return torch.cat([torch.einsum("nk,nkd->nd", weights[rows], vectors[nearest[rows]]) for rows in blocks])


def extended(bundle: Bundle, item_ids: Sequence[str], titles: Sequence[str], vectors: Tensor) -> Bundle:
    """The bundle with new items behind its own, without interactions; its material stays that of the known items."""
    items = Vocabulary([*bundle.items.ids, *item_ids], "item")
    seen = Interactions(bundle.seen.users, bundle.seen.items, len(bundle.users), len(items))
    scorer = bundle.scorer.extend(vectors)
    return replace(bundle, scorer=scorer, items=items, titles=(*bundle.titles, *titles), seen=seen, material=Material())
