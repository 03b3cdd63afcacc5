"""VIRAL as it is by default: text, what picture and sound add to it, their synergy, a free table, a softmax.

After Kieu et al., arXiv 2511.02113, whose own readings are in :mod:`viral.models.viral.paper`. What differs and why:
docs/models/viral.md. The memory beside it (:mod:`viral.training.item_memory`) is no part of this file.
Shapes: U users, I items, N = U + I nodes, D embedding dimension of a branch, P branches, F features.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from viral.data.inputs import ModelInputs
from viral.data.interactions import Triplets
from viral.graph.functions import bpr_loss, dot, propagate_sum, unit_rows
from viral.graph.functions.branch_nodes import branch_nodes
from viral.models.base import EmbeddingRecommender, Embeddings, Recommender
from viral.models.families.edge_dropout import ThinnedGraph, uniformly
from viral.models.families.layers import encoder
from viral.models.families.modality_branches import UserGraph, columns
from viral.models.viral.config import BeyondConfig, sources_of
from viral.models.viral.features import centred_features, interaction, item_graph, unique_features
from viral.models.viral.paper import VIRAL

SYNERGY, TASTE = "synergy", "taste"


class VIRALBeyond(EmbeddingRecommender[BeyondConfig]):
    """score(u, i) = cos(u, i) over the concatenated branches [text | unique … | synergy | taste]."""

    Config = BeyondConfig
    SPACE: ClassVar = {
        "temperature": (0.2, 0.3, 0.5),
        "co_occurrence_weight": (0.0, 0.5, 0.8),
        "edge_dropout": (0.0, 0.2, 0.4),
        "learning_rate": (0.005, 0.01, 0.02),
    }
    TRAIN: ClassVar = {
        "loss": "softmax",
        "temperature": 0.2,
        "learning_rate": 0.01,
        "batch_size": 4096,
        "max_epochs": 300,
        "patience": 5,
        "evaluate_every": 5,
    }
    MEMORY: ClassVar[Literal["off", "ease"]] = "ease"

    def __init__(self, inputs: ModelInputs, config: BeyondConfig) -> None:
        super().__init__(inputs, config)
        self.content = centred_features(inputs, sources_of(config, inputs))
        self.unique = unique_features(inputs, self.content, config)
        self._build_branches()
        self.interactions = ThinnedGraph(inputs.train, config.edge_dropout, uniformly)
        self.item_graph = item_graph(inputs.train, self.content, config)
        self.user_graph: nn.Module = nn.Identity()
        if config.user_graph:
            self.user_graph = UserGraph(inputs.train, config.num_user_neighbors, resample=False)

    @classmethod
    def variant(cls, config: Mapping[str, Any]) -> type[Recommender[Any]]:
        """The readings of the paper are another class's."""
        return cls if config.get("variant", "beyond") == "beyond" else VIRAL

    @property
    def reads(self) -> tuple[str, ...]:
        return self.content.names

    def _build_branches(self) -> None:
        """Encoders of the items' parts to D, and free tables: the users' (P, U, D), the items' (I, D)."""
        config, dim, count = self.config, self.config.embedding_dim, len(self.content.names)
        self.learnt = (SYNERGY,) if config.synergy and count > 1 else ()
        self.free = (TASTE,) if config.taste else ()
        for name in self.learnt:
            self.add_module(name, interaction(self.content, config.crossmodal_dim))
        widths = self.unique.widths | dict.fromkeys(self.learnt, config.crossmodal_dim) | dict.fromkeys(self.free, dim)
        self.branches = tuple(widths)
        self.encoders = nn.ModuleDict({name: encoder(width, config.hidden_dim, dim) for name, width in widths.items()})
        tables = [nn.init.xavier_normal_(torch.empty(self.num_users, dim)) for _ in self.branches]
        self.preferences = nn.Parameter(torch.stack(tables))
        for name in self.free:
            self.register_parameter(name, nn.Parameter(nn.init.xavier_normal_(torch.empty(self.num_items, dim))))

    def on_epoch_start(self, rng: torch.Generator) -> None:
        """Leave some of the interactions out of this epoch's graph."""
        self.interactions.draw(rng)

    def decompose(self) -> dict[str, Tensor]:
        """Item features by branch, {branch: (I, ·)}: the anchor, what each further source adds, synergy, free table."""
        x = self.content.features
        synergy = {name: self.get_submodule(name)(*x.values()).value for name in self.learnt}
        taste = {name: self.get_parameter(name) for name in self.free}
        return self.unique.features | synergy | taste

    def propagate(self, parts: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Users (U, P·D) and items (I, P·D): Σ_l Âˡ X of branches at unit length."""
        ego = branch_nodes(self.preferences, *(encode(parts[name]) for name, encode in self.encoders.items()))
        nodes = propagate_sum(self.interactions.adjacency, ego, self.config.num_layers)
        users, items = nodes.tensor_split([self.num_users])
        return users, items

    def embed(self) -> Embeddings:
        """Unit rows of users n_u (with the like-minded: n_u + A_u n_u) and of items n_i + S n_i."""
        users, items = self.propagate(self.decompose())
        return Embeddings(unit_rows(self.user_graph(users)), unit_rows(items + self.item_graph @ items))

    def loss(self, batch: Triplets) -> dict[str, Tensor]:
        """BPR of cosines over τ, for ``train.loss = "own"``; by default the softmax takes its place."""
        users, items = self.embed()
        u = users.index_select(0, batch.users)
        chosen, skipped = (dot(u, items.index_select(0, of)) for of in (batch.positives, batch.negatives))
        return {"bpr": bpr_loss(chosen / self.TRAIN["temperature"], skipped / self.TRAIN["temperature"])}

    def side_terms(self, batch: Callable[[], Triplets]) -> dict[str, Tensor]:
        """None: the ranking is all that is learnt by."""
        return {}

    @property
    def parts(self) -> Mapping[str, tuple[int, int]]:
        return columns(self.branches, self.config.embedding_dim)
