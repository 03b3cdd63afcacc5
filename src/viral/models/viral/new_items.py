"""Items that came after training, embedded by what the model learnt of features: VIRAL's own way.

VIRAL has no tensor with a row an item: what it makes of an item without interactions follows from the item's features
and its place in the item graph. Every other model of the zoo knows items by ids, and has no such way.
Shapes: n new items, I known items, D the width of an item's vector, F features.
"""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from viral.data.inputs import ModelInputs
from viral.data.interactions import Interactions
from viral.graph.blocks import row_blocks
from viral.models.base import EmbeddingRecommender, ItemFeatures, Trained
from viral.models.viral.paper_config import RANDOM, VIRALConfig
from viral.models.viral.paper_sources import graph_shares

OF_USERS = {"preferences", "branch_weights"}  # what an item's vector does not depend on


class EmbedsNewItems(EmbeddingRecommender[VIRALConfig]):
    """A model whose item vectors follow from features; for VIRAL to derive from."""

    @abstractmethod
    def decompose(self) -> tuple[dict[str, Tensor], Any]:
        """The items' features by information part, and what the loss needs beside them."""

    @abstractmethod
    def propagate(self, parts: Mapping[str, Tensor]) -> Tensor:
        """Users, then items, before the item graph: (U+I, D)."""

    @torch.no_grad()
    def unlinked(self) -> Tensor | None:
        """None where :func:`reads_one_item` is false."""
        if not reads_one_item(self.config):
            return None
        training = self.training
        self.eval()
        nodes = self.propagate(self.decompose()[0])
        self.train(training)
        return nodes[self.num_users :].clone()

    @classmethod
    def new_item_modalities(cls, config: VIRALConfig, trained: Trained) -> tuple[str, ...]:
        if trained.unlinked is None or not reads_one_item(config):
            return ()
        named = (*config.sources.values(), config.knowledge)
        return tuple(dict.fromkeys(modality for modality in named if modality is not None))

    @classmethod
    def embed_new_items(cls, config: VIRALConfig, trained: Trained, new: ItemFeatures) -> Tensor:
        assert trained.unlinked is not None
        vectors = cls.encode_new(config, trained.parameters, new.values)
        return link(config, vectors, new, trained.known, trained.unlinked)

    @classmethod
    @torch.no_grad()
    def encode_new(
        cls, config: VIRALConfig, parameters: Mapping[str, Tensor], features: Mapping[str, Tensor]
    ) -> Tensor:  # fmt: skip
        """The vectors (n, D) of items without interactions, before the item graph, by a trained model's parameters."""
        count = len(next(iter(features.values())))
        nobody = torch.zeros(0, dtype=torch.int64)
        inputs = ModelInputs(Interactions(nobody, nobody, 1, count), features)
        with torch.random.fork_rng(devices=[]):  # the weights drawn here are replaced
            model = cls(inputs, replace(config, item_graph=False, user_graph=False))
        own = model.state_dict()
        model.load_state_dict({name: own[name] if name in OF_USERS else parameters[name] for name in own})
        model.eval()
        return model.embed().items


def reads_one_item(config: VIRALConfig) -> bool:
    """Whether all parts of a model so configured look at one item at a time.

    Attention over neighbours, the interaction synergy (which is fitted to the catalogue) and random features do not.
    """
    drawn = RANDOM in config.sources.values()
    return config.attention_tokens == 1 and config.synergy != "interaction" and not drawn


@torch.no_grad()
def link(config: VIRALConfig, vectors: Tensor, new: ItemFeatures, known: ItemFeatures, known_vectors: Tensor) -> Tensor:
    """The vectors i + S i of new items linked into the item graph: (n, D), from their i (n, D).

    S is a mean over each source's k nearest items, the item itself and k - 1 of the known ones, weighted by source as
    in training; a new item without features of its own has nobody but itself. ``known_vectors`` are those before the
    item graph.
    """
    if not config.item_graph:
        return vectors
    linked, shares = vectors.clone(), graph_shares(config)
    for role, modality in config.sources.items():
        there = known.present[modality]
        k = min(config.num_neighbors - 1, int(there.sum()))
        unit = F.normalize(known.values[modality], dim=-1)  # (I, F)
        for rows in row_blocks(len(vectors), len(unit)):
            cosines = F.normalize(new.values[modality][rows], dim=-1) @ unit.T  # (n, I) of a block
            nearest = cosines.masked_fill_(~there, -torch.inf).topk(k).indices
            mean = (vectors[rows] + known_vectors[nearest].sum(dim=1)) / (k + 1)
            own = new.present[modality][rows, None]
            linked[rows] += shares[role] * torch.where(own, mean, vectors[rows])
    return linked
