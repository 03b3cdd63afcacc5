"""Items that came after training, embedded by what the model learnt of features: VIRAL's own way.

VIRAL has no tensor with a row an item: what it makes of an item without interactions follows from the item's features
and its place in the item graph. Every other model of the zoo knows items by ids, and has no such way.
Shapes: n new items, I known items, D the width of an item's vector, F features.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from viral.data.inputs import ModelInputs
from viral.data.interactions import Interactions
from viral.graph.blocks import row_blocks
from viral.models.base import Recommender
from viral.models.viral.paper import VIRAL
from viral.models.viral.paper_config import RANDOM, VIRALConfig

Features = Mapping[str, Tensor]  # modality -> (n, F)


class Rows(NamedTuple):
    """Features of some items by modality, and which of them are the items' own and not filled in."""

    features: Features  # modality -> (n, F)
    present: Mapping[str, Tensor]  # modality -> (n,) bool


OF_USERS = {"preferences", "branch_weights"}  # what an item's vector does not depend on


def embeds_newcomers(config: object) -> bool:
    """Whether a model so configured is VIRAL with parts that look at one item at a time.

    Attention over neighbours, the interaction synergy (which is fitted to the catalogue) and random features are not.
    """
    if not isinstance(config, VIRALConfig):
        return False
    drawn = RANDOM in config.sources.values()
    return config.attention_tokens == 1 and config.synergy != "interaction" and not drawn


@torch.no_grad()
def unlinked(model: Recommender[VIRALConfig]) -> Tensor | None:
    """Item vectors (I, D) before the item graph adds the similar ones; None where :func:`embeds_newcomers` is false."""
    if not isinstance(model, VIRAL) or not embeds_newcomers(model.config):
        return None
    training = model.training
    model.eval()
    _, items = model.represent(model.decompose()[0])
    model.train(training)
    return items.clone()


def modalities_of(config: VIRALConfig) -> tuple[str, ...]:
    """The modalities that :func:`encode` reads."""
    named = (*config.sources.values(), config.knowledge)
    return tuple(dict.fromkeys(modality for modality in named if modality is not None))


@torch.no_grad()
def encode(config: VIRALConfig, parameters: Mapping[str, Tensor], features: Features) -> Tensor:
    """The vectors (n, D) of items without interactions, before the item graph, by a trained model's ``parameters``."""
    count = len(next(iter(features.values())))
    nobody = torch.zeros(0, dtype=torch.int64)
    inputs = ModelInputs(Interactions(nobody, nobody, 1, count), features)
    with torch.random.fork_rng(devices=[]):  # the weights drawn here are replaced
        model = VIRAL(inputs, replace(config, item_graph=False, user_graph=False))
    own = model.state_dict()
    model.load_state_dict({name: own[name] if name in OF_USERS else parameters[name] for name in own})
    model.eval()
    return model.embed().items


@torch.no_grad()
def link(config: VIRALConfig, vectors: Tensor, new: Rows, known: Rows, known_vectors: Tensor) -> Tensor:
    """The vectors i + S i of new items linked into the item graph: (n, D), from the i (n, D) of :func:`encode`.

    S is a mean over each source's k nearest items, the item itself and k - 1 of the known ones, weighted by source as
    in training; a new item without features of its own has nobody but itself. ``known_vectors`` are those before the
    item graph (:func:`unlinked`).
    """
    if not config.item_graph:
        return vectors
    linked = vectors.clone()
    for role, modality in config.sources.items():
        there = known.present[modality]
        k = min(config.num_neighbors - 1, int(there.sum()))
        unit = F.normalize(known.features[modality], dim=-1)  # (I, F)
        for rows in row_blocks(len(vectors), len(unit)):
            cosines = F.normalize(new.features[modality][rows], dim=-1) @ unit.T  # (n, I) of a block
            nearest = cosines.masked_fill_(~there, -torch.inf).topk(k).indices
            mean = (vectors[rows] + known_vectors[nearest].sum(dim=1)) / (k + 1)
            own = new.present[modality][rows, None]
            linked[rows] += _share(config, role) * torch.where(own, mean, vectors[rows])
    return linked


def _share(config: VIRALConfig, role: str) -> float:
    """What a source's neighbours count in the item graph (``Sources.graph_shares``)."""
    roles = list(config.sources)
    if len(roles) == 1:
        return 1.0
    if roles[0] != "text":
        return 1 / len(roles)
    return 1 - config.visual_weight if role == "text" else config.visual_weight / (len(roles) - 1)
