"""VIRAL as published: graphs over text, synergy and the picture's unique part.

Kieu et al., "Enhancing Multimodal Recommendations with Vision-Language Models and Information-Aware Fusion",
arXiv 2511.02113; the parts of the authors' branch ``redu2``, narrower unless asked for; ``variant`` and the other
fields of :class:`~viral.models.viral.paper_config.VIRALConfig` lead to that branch itself and to every other reading of
the method.
Shapes: U users, I items, B batch, D embedding dimension of one branch, F features, d cross-modal width, P branches.
"""

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from viral import graph
from viral.data.inputs import ModelInputs
from viral.data.interactions import Triplets
from viral.graph.functions import Projection, bpr_loss_bits, dot, propagate_sum
from viral.graph.functions.branch_nodes import branch_nodes, weigh_users
from viral.models.base import EmbeddingRecommender, Embeddings
from viral.models.families.layers import linear
from viral.models.viral.fusion import (
    AttentionSum,
    CrossModal,
    Interaction,
    KnowledgeFusion,
    Redundancy,
    Synergy,
    WeightedSum,
    over_pairs,
    without,
)
from viral.models.viral.graphs import links
from viral.models.viral.paper_config import VIRALConfig
from viral.models.viral.sources import Sources, branches_of

__all__ = ["VIRAL", "VIRALConfig"]


class VIRAL(EmbeddingRecommender[VIRALConfig]):
    """score(u, i) = ⟨u, i⟩ over the concatenated branches [text | synergy | unique visual]."""

    Config = VIRALConfig
    SPACE: ClassVar = {"learning_rate": (1e-4, 5e-4, 1e-3), "alignment_weight": (0.0, 1e-3, 1e-2, 0.1),
                       "reg_weight": (1e-4, 1e-3, 1e-2), "num_neighbors": (5, 10, 15, 20)}  # fmt: skip
    synergy: nn.Module | None
    redundancy: Redundancy | None
    knowledge: KnowledgeFusion | None
    mix: nn.Module | None
    branch_weights: nn.Parameter | None

    def __init__(self, inputs: ModelInputs, config: VIRALConfig) -> None:
        super().__init__(inputs, config)
        self.sources = Sources(inputs, config)
        self.branches = branches_of(config)
        self._build_parts()
        self._build_branches()
        self._build_graphs(inputs)

    def _build_parts(self) -> None:
        """What the decomposition needs of this configuration, and nothing that would not be trained."""
        config, features = self.config, self.sources.features
        several = len(features) > 1
        self.width = config.crossmodal_dim or next(iter(features.values())).shape[1]
        self.synergy = self._synergy() if several and config.synergy != "off" else None
        self.redundancy = None
        if several and config.redundancy:
            self.redundancy = Redundancy(self.width, len(features), learned_mask=config.mask == "learned")
        self.projections = nn.ModuleDict()
        if several and (config.synergy == "aligned" or config.redundancy or config.projection):
            widths = {m: x.shape[1] for m, x in features.items() if x.shape[1] != self.width}
            self.projections.update({m: linear(width, self.width, of=Projection) for m, width in widths.items()})
        self.knowledge = None
        if self.sources.prompt is not None:
            self.knowledge = KnowledgeFusion(features["visual"].shape[1], self.sources.prompt.shape[1])

    def _synergy(self) -> nn.Module:
        """One part for two sources; one for each pair of more."""
        x, config = list(self.sources.features.values()), self.config
        if config.synergy == "interaction":
            return over_pairs(len(x), lambda a, b: Interaction(x[a], x[b], self.width, fixed=config.knowledge is None))
        if config.attention_tokens == 1:
            return over_pairs(len(x), lambda a, b: Synergy(self.width))
        near = [graph.nearest_neighbors(values, config.attention_tokens)[1] for values in x]
        return over_pairs(len(x), lambda a, b: Synergy(self.width, (near[a], near[b])))

    def _build_branches(self) -> None:
        """Encoders of features to D, free user tables (P, U, D) and the users' weights of branches (U, P)."""
        config, dim = self.config, self.config.embedding_dim
        mixed = config.fusion in ("weighted", "attention") and len(self.sources.features) > 1
        encoded = tuple(self.sources.features) if mixed else self.branches
        self.encoders = nn.ModuleDict({name: self._encoder(name) for name in encoded})
        self.mix = None
        if mixed:
            self.mix = WeightedSum(len(encoded)) if config.fusion == "weighted" else AttentionSum(dim)
        tables = [nn.init.xavier_normal_(torch.empty(self.num_users, dim)) for _ in self.branches]
        self.preferences = nn.Parameter(torch.stack(tables))
        self.branch_weights = None
        one_of_one = config.user_weights == "softmax" and len(self.branches) == 1  # which is 1, whatever is learnt
        if config.user_weights != "off" and not one_of_one:
            weights = nn.init.xavier_normal_(torch.empty(self.num_users, len(self.branches)))
            self.branch_weights = nn.Parameter(weights if config.user_weights == "softmax" else weights.softmax(dim=1))

    def _encoder(self, branch: str) -> nn.Module:
        """Features to a branch's D: two layers for the anchor and the synergy, ``unique_layers`` for the others."""
        features, hidden, dim = self.sources.features, self.config.hidden_dim, self.config.embedding_dim
        alone = branch.removeprefix("unique_")
        raw = branch in features or len(features) == 1
        in_dim, first = (features[alone].shape[1], Projection) if raw else (self.width, nn.Linear)
        if branch not in (self.sources.anchor, "synergy") and self.config.unique_layers == 1:
            return nn.Sequential(first(in_dim, dim), nn.LeakyReLU())
        return nn.Sequential(first(in_dim, hidden), nn.LeakyReLU(), nn.Linear(hidden, dim))

    def _build_graphs(self, inputs: ModelInputs) -> None:
        config, shares = self.config, self.sources.graph_shares(self.config.visual_weight)
        self.adjacency = graph.bipartite_adjacency(inputs.train)
        self.item_graph = None
        if config.item_graph:
            of_sources = {role: self.sources.knn_graph(role, config.num_neighbors) for role in self.sources.roles}
            self.item_graph = graph.weighted_sum(of_sources, shares)
        users = None
        if config.user_graph:
            self.neighbors = graph.co_occurrence(inputs.train, config.num_user_neighbors)
            users = graph.user_graph(self.neighbors, config.num_user_neighbors)
        self.links = self.epoch_links = links(users, self.item_graph, self.num_users, self.num_items)

    def on_epoch_start(self, rng: torch.Generator) -> None:
        """Draw the padding of short user-neighbour lists for this epoch."""
        if self.config.user_graph and self.config.resample_user_graph:
            drawn = graph.resampled_user_graph(self.neighbors, self.config.num_user_neighbors, rng)
            drawn = drawn.to(self.preferences)  # its device and precision
            self.epoch_links = links(drawn, self.item_graph, self.num_users, self.num_items)

    def decompose(self) -> tuple[dict[str, Tensor], dict[str, CrossModal]]:
        """Item features by information part, {branch: (I, ·)}, and the cross-modal parts with their pairs to align."""
        x = self.sources.features
        if self.knowledge is not None and self.sources.prompt is not None:
            x = x | {"visual": self.knowledge(x["visual"], self.sources.prompt)}
        if len(x) == 1:
            return {self.branches[0]: x[self.sources.anchor]}, {}
        if self.config.fusion != "pid":
            return x, {}
        z = {m: self.projections[m](values) if m in self.projections else values for m, values in x.items()}
        made: dict[str, CrossModal] = {}
        if self.synergy is not None:
            made["synergy"] = self.synergy(*(z if self.config.synergy == "aligned" else x).values())
        if self.redundancy is not None:
            made["redundancy"] = self.redundancy(*z.values())
        shared = made["redundancy"].value if "redundancy" in made else z[self.sources.anchor]
        parts = x | {f"unique_{m}": without(z[m], shared) for m in x if self.config.projection}
        parts |= {"synergy" if name == "synergy" else "redundant": part.value for name, part in made.items()}
        return parts, made

    def encode(self, parts: Mapping[str, Tensor]) -> list[Tensor]:
        """The items' layer-0 representation in each branch: P times (I, D)."""
        encoded = {name: encoder(parts[name]) for name, encoder in self.encoders.items()}
        return list(encoded.values()) if self.mix is None else [self.mix(torch.stack(list(encoded.values())))]

    def nodes(self, parts: Mapping[str, Tensor]) -> Tensor:
        """Users, then items, after each branch has travelled the user-item graph (sum of layers): (U+I, P·D)."""
        ego = branch_nodes(self.preferences, *self.encode(parts))
        nodes = propagate_sum(self.adjacency, ego, self.config.num_layers)
        if self.branch_weights is None:
            return nodes
        weights = self.branch_weights.softmax(dim=1) if self.config.user_weights == "softmax" else self.branch_weights
        return weigh_users(nodes, weights)

    def represent(self, parts: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Users (U, P·D) and items (I, P·D) before the graphs of users and of items."""
        users, items = self.nodes(parts).tensor_split([self.num_users])
        return users, items

    def fuse(self, nodes: Tensor, chosen: Tensor | None = None) -> Tensor:
        """Add the like-minded users and the similar items: u = ½ (u_f + A_u u_f), i = i_f + S i_f; all or some."""
        both = self.epoch_links if self.training else self.links
        return (both if chosen is None else both.rows(chosen)) @ nodes

    def embed(self) -> Embeddings:
        parts, _ = self.decompose()
        return Embeddings(*self.fuse(self.nodes(parts)).tensor_split([self.num_users]))

    def loss(self, batch: Triplets) -> dict[str, Tensor]:
        config = self.config
        parts, crossmodal = self.decompose()
        pairs = torch.cat([batch.positives, batch.negatives]) + self.num_users
        u, chosen, skipped = self.fuse(self.nodes(parts), torch.cat([batch.users, pairs])).chunk(3)  # (B, P·D) each
        squares = self.preferences.index_select(1, batch.users).square().mean() * len(self.branches)
        if self.branch_weights is not None:
            squares = squares + self.branch_weights.square().mean()
        terms = {"bpr": bpr_loss_bits(dot(u, chosen), dot(u, skipped)), "reg": config.reg_weight * squares}
        some = config.alignment_items is not None and config.alignment_items < self.num_items
        rows = batch.negatives[: config.alignment_items].unique() if some else None
        for name, part in crossmodal.items():
            if part.pairs and config.alignment_weight:
                terms[name] = config.alignment_weight * part.alignment(rows, config.temperature)
        return terms

    @property
    def parts(self) -> Mapping[str, tuple[int, int]]:
        dim = self.config.embedding_dim
        return {branch: (p * dim, (p + 1) * dim) for p, branch in enumerate(self.branches)}
