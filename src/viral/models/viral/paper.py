"""VIRAL as published: graphs over text, synergy and the picture's unique part.

Kieu et al., "Enhancing Multimodal Recommendations with Vision-Language Models and Information-Aware Fusion",
arXiv 2511.02113; the parts of the authors' branch ``redu2``, narrower unless asked for; ``variant`` and the other
fields of :class:`~viral.models.viral.paper_config.VIRALConfig` lead to that branch itself and to every other reading of
the method, whose parts :mod:`viral.models.viral.paper_parts` chooses.
Shapes: U users, I items, B batch, D embedding dimension of one branch, F features, d cross-modal width, P branches.
"""

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from viral import graph
from viral.data.inputs import ModelInputs
from viral.data.interactions import Triplets
from viral.graph import SparseMatrix
from viral.graph.functions import bpr_loss_bits, dot, propagate_sum
from viral.graph.functions.branch_nodes import branch_nodes, weigh_users
from viral.models.base import Embeddings
from viral.models.families.modality_branches import columns
from viral.models.viral.fusion.redundancy import without
from viral.models.viral.fusion.synergy import CrossModal
from viral.models.viral.neighbor_links import links_of
from viral.models.viral.new_items import EmbedsNewItems
from viral.models.viral.paper_config import VIRALConfig
from viral.models.viral.paper_parts import (
    SHARES,
    encoders_of,
    knowledge_of,
    mix_of,
    projections_of,
    redundancy_of,
    synergy_of,
    user_weights_of,
)
from viral.models.viral.paper_sources import Sources, branches_of

__all__ = ["VIRAL", "VIRALConfig"]


class VIRAL(EmbedsNewItems):
    """score(u, i) = ⟨u, i⟩ over the concatenated branches [text | synergy | unique visual]."""

    Config = VIRALConfig
    SPACE: ClassVar = {"learning_rate": (1e-4, 5e-4, 1e-3), "alignment_weight": (0.0, 1e-3, 1e-2, 0.1),
                       "reg_weight": (1e-4, 1e-3, 1e-2), "num_neighbors": (5, 10, 15, 20)}  # fmt: skip

    def __init__(self, inputs: ModelInputs, config: VIRALConfig) -> None:
        super().__init__(inputs, config)
        self.sources = Sources(inputs, config)
        self._build_parts(inputs)
        self._build_branches()
        self.adjacency = graph.bipartite_adjacency(inputs.train)
        similar = self.sources.item_graph(config) if config.item_graph else SparseMatrix.empty(self.num_items)
        self.links = links_of(config, inputs.train, similar)

    def _build_parts(self, inputs: ModelInputs) -> None:
        config, x, widths = self.config, list(self.sources.features.values()), self.sources.widths
        self.width = config.crossmodal_dim or widths[self.sources.anchor]  # d
        self.synergy = synergy_of(config, x, self.width)
        self.redundancy = redundancy_of(config, len(x), self.width)
        self.projections = projections_of(config, widths, self.width)
        self.knowledge = knowledge_of(config, inputs, widths)
        self.projected = self.sources.names[1:] if config.projection else ()

    def _build_branches(self) -> None:
        """Encoders of features to D, free user tables (P, U, D) and the users' weights of branches (U, P)."""
        config, carried = self.config, branches_of(self.config)
        self.branches = tuple(carried)
        self.carried = {name: name for name in self.sources.names} if config.mixed else carried
        self.encoders = encoders_of(config, self.carried, self.sources.widths, self.width)
        self.mix = mix_of(config, len(self.encoders))
        tables = [nn.init.xavier_normal_(torch.empty(self.num_users, config.embedding_dim)) for _ in self.branches]
        self.preferences = nn.Parameter(torch.stack(tables))
        weights = user_weights_of(config, self.num_users, len(self.branches))
        self.weights, self.shares = tuple(weights), SHARES[config.user_weights]
        for name, table in weights.items():
            self.register_parameter(name, table)

    def on_epoch_start(self, rng: torch.Generator) -> None:
        """Draw the padding of short user-neighbour lists for this epoch."""
        self.links.draw(rng)

    def decompose(self) -> tuple[dict[str, Tensor], dict[str, CrossModal]]:
        """The items' features by information part, {part: (I, ·)}, and the cross-modal ones with pairs to align."""
        x = self.knowledge(self.sources.features)
        z = {m: self.projections[m](values) for m, values in x.items()}  # (I, d) each
        s = self.synergy(*(x if self.config.synergy == "interaction" else z).values())
        r = self.redundancy(*z.values())
        unique = {f"unique_{m}": without(z[m], r.value) for m in self.projected}
        return x | unique | {"synergy": s.value, "redundant": r.value}, {"synergy": s, "redundancy": r}

    def encode(self, parts: Mapping[str, Tensor]) -> list[Tensor]:
        """The items' layer-0 representation in each branch: P times (I, D)."""
        encoded: list[Tensor] = self.mix([self.encoders[name](parts[part]) for name, part in self.carried.items()])
        return encoded

    def propagate(self, parts: Mapping[str, Tensor]) -> Tensor:
        """Users, weighed, then items, after each branch has travelled the user-item graph: Σ_l Âˡ X, (U+I, P·D)."""
        ego = branch_nodes(self.preferences, *self.encode(parts))
        nodes = propagate_sum(self.adjacency, ego, self.config.num_layers)
        for weights in self.user_weights:
            nodes = weigh_users(nodes, self.shares(weights))
        return nodes

    @property
    def user_weights(self) -> list[Tensor]:
        """The table of what each branch counts to each user (U, P), if there is one."""
        return [self.get_parameter(name) for name in self.weights]

    def embed(self) -> Embeddings:
        """Users ½ (u_f + A_u u_f), items i_f + S i_f."""
        parts, _ = self.decompose()
        return Embeddings(*(self.links() @ self.propagate(parts)).tensor_split([self.num_users]))

    def loss(self, batch: Triplets) -> dict[str, Tensor]:
        """BPR (to base 2), γ times the users' squares, and λ times InfoNCE of the pairs of every cross-modal part."""
        config = self.config
        parts, crossmodal = self.decompose()
        rows = torch.cat([batch.users, torch.cat([batch.positives, batch.negatives]) + self.num_users])
        u, chosen, skipped = (self.links().rows(rows) @ self.propagate(parts)).chunk(3)  # (B, P·D) each
        squares = self.preferences.index_select(1, batch.users).square().mean() * len(self.branches)
        squares = sum((weights.square().mean() for weights in self.user_weights), squares)
        terms = {"bpr": bpr_loss_bits(dot(u, chosen), dot(u, skipped)), "reg": config.reg_weight * squares}
        aligned = {name: part for name, part in crossmodal.items() if part.pairs and config.alignment_weight}
        items = self.contrasted(batch)
        return terms | {
            name: config.alignment_weight * part.alignment(items, config.temperature) for name, part in aligned.items()
        }

    def contrasted(self, batch: Triplets) -> Tensor | slice:
        """The items that InfoNCE contrasts: all, or of many those among the first ``alignment_items`` negatives."""
        count = self.config.alignment_items or self.num_items
        return batch.negatives[:count].unique() if count < self.num_items else slice(None)

    @property
    def parts(self) -> Mapping[str, tuple[int, int]]:
        return columns(self.branches, self.config.embedding_dim)
