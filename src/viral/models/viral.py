"""VIRAL: graphs over text, synergy and the picture's unique part.

Kieu et al., "Enhancing Multimodal Recommendations with Vision-Language Models and Information-Aware Fusion",
arXiv 2511.02113; defaults follow the authors' branch ``redu2`` where a field does not say otherwise.
Shapes: U users, I items, B batch, D embedding dimension of one branch, F features, d cross-modal width, P branches.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from viral import graph
from viral.data import ModelInputs, Triplets
from viral.errors import UsageError
from viral.models.base import EmbeddingRecommender, Embeddings
from viral.nn import bpr_loss_bits, dot, propagate_sum
from viral.nn.fusion import CrossModal, Redundancy, Synergy, linear, without
from viral.recipe import check_least


@dataclass(frozen=True, kw_only=True)
class VIRALConfig:
    """Every number of the model. ``visual=None`` is the text-only variant, ``text=None`` the visual-only one."""

    text: str | None = "text"  # the modality that carries the words of the catalogue
    visual: str | None = "description"  # the modality that carries the picture
    embedding_dim: int = 64  # of each branch
    crossmodal_dim: int | None = None  # None: the features' own width (384 in the code); 64 in the paper's summary
    hidden_dim: int = 256
    num_layers: int = 2
    num_neighbors: int = 10  # of the item graph
    visual_weight: float = 0.5  # of the item graph's picture half
    num_user_neighbors: int = 40
    resample_user_graph: bool = True  # pad short neighbour lists anew each epoch, as the code does
    temperature: float = 0.1
    alignment_weight: float = 0.01  # λ
    alignment_items: int | None = None  # None: contrast all items in every step; n: at most n of the batch's negatives
    reg_weight: float = 1e-3  # γ

    def __post_init__(self) -> None:
        check_least(self, embedding_dim=1, crossmodal_dim=1, hidden_dim=1, num_layers=0, alignment_items=1)
        check_least(self, num_neighbors=1, num_user_neighbors=0, temperature=1e-6)


Branch = Literal["text", "synergy", "unique_visual"]


class VIRAL(EmbeddingRecommender[VIRALConfig]):
    """score(u, i) = ⟨u, i⟩ over the concatenated branches [text | synergy | unique visual]."""

    Config = VIRALConfig
    text: Tensor  # (I, F_t), fixed
    visual: Tensor  # (I, F_v), fixed

    def __init__(self, inputs: ModelInputs, config: VIRALConfig) -> None:
        super().__init__(inputs, config)
        sources = {"text": config.text, "visual": config.visual}
        features = {role: inputs.feature(name) for role, name in sources.items() if name is not None}
        if not features:
            raise UsageError("VIRAL needs a text or a visual modality", where="[config] of VIRAL")
        self.branches: tuple[Branch, ...] = ("text", "synergy", "unique_visual")
        if len(features) == 1:
            self.branches = ("text",) if "text" in features else ("unique_visual",)
        for role, values in features.items():
            self.register_buffer(role, values, persistent=False)
        width = config.crossmodal_dim or next(iter(features.values())).shape[1]
        self.projections = nn.ModuleDict()
        if "synergy" in self.branches:
            self.synergy, self.redundancy = Synergy(width), Redundancy(width)
            self.projections.update({m: linear(x.shape[1], width) for m, x in features.items() if x.shape[1] != width})
        self.encoders = nn.ModuleDict({branch: self._encoder(branch, width) for branch in self.branches})
        self.preferences = nn.Parameter(self._preferences())  # (P, U, D)
        weights = nn.init.xavier_normal_(torch.empty(self.num_users, len(self.branches)))
        self.branch_weights = nn.Parameter(weights.softmax(dim=1))  # (U, P), free after this start
        self.adjacency = graph.bipartite_adjacency(inputs.train)
        item_graphs = {m: graph.knn_graph(x, config.num_neighbors) for m, x in features.items()}
        shares = {"text": 1 - config.visual_weight, "visual": config.visual_weight} if len(features) == 2 else None
        self.item_graph = graph.weighted_sum(item_graphs, shares or dict.fromkeys(item_graphs, 1.0))
        self.neighbors = graph.co_occurrence(inputs.train, config.num_user_neighbors)
        self.user_graph = graph.user_graph(self.neighbors, config.num_user_neighbors)
        self.epoch_user_graph = self.user_graph

    def _encoder(self, branch: Branch, width: int) -> nn.Module:
        """Features to a branch's D: one layer for the unique part, two for the others."""
        dim, hidden = self.config.embedding_dim, self.config.hidden_dim
        if branch == "unique_visual":
            in_dim = width if "synergy" in self.branches else self.visual.shape[1]
            return nn.Sequential(nn.Linear(in_dim, dim), nn.LeakyReLU())
        in_dim = self.text.shape[1] if branch == "text" else width
        return nn.Sequential(nn.Linear(in_dim, hidden), nn.LeakyReLU(), nn.Linear(hidden, dim))

    def _preferences(self) -> Tensor:
        """A free table per branch: (P, U, D)."""
        shape = (self.num_users, self.config.embedding_dim)
        return torch.stack([nn.init.xavier_normal_(torch.empty(shape)) for _ in self.branches])

    def on_epoch_start(self, rng: torch.Generator) -> None:
        """Draw the padding of short user-neighbour lists for this epoch."""
        if self.config.resample_user_graph:
            drawn = graph.resampled_user_graph(self.neighbors, self.config.num_user_neighbors, rng)
            self.epoch_user_graph = drawn.to(self.preferences)  # its device and precision

    def decompose(self) -> tuple[dict[Branch, Tensor], tuple[CrossModal, ...]]:
        """Item features by information part: {branch: (I, ·)}, and the cross-modal parts with their pairs to align."""
        if "synergy" not in self.branches:
            return {self.branches[0]: self.text if self.branches[0] == "text" else self.visual}, ()
        t, v = (self.projections[m](x) if m in self.projections else x for m, x in self._sources().items())
        s, r = self.synergy(t, v), self.redundancy(t, v)
        return {"text": self.text, "synergy": s.value, "unique_visual": without(v, r.value)}, (s, r)

    def _sources(self) -> Mapping[str, Tensor]:
        return {"text": self.text, "visual": self.visual}

    def represent(self, parts: Mapping[Branch, Tensor]) -> tuple[Tensor, Tensor]:
        """Users (U, P·D) and items (I, P·D) after each branch has travelled the user-item graph (sum of layers)."""
        ego = [
            F.normalize(torch.cat([self.preferences[p], self.encoders[branch](parts[branch])]), dim=-1)
            for p, branch in enumerate(self.branches)
        ]
        nodes = propagate_sum(self.adjacency, torch.cat(ego, dim=1), self.config.num_layers)  # (U+I, P·D)
        users, items = nodes.tensor_split([self.num_users])
        weights = self.branch_weights.repeat_interleave(self.config.embedding_dim, dim=1)  # (U, P·D)
        return users * weights, items

    def fuse(self, users: Tensor, items: Tensor) -> Embeddings:
        """Add the like-minded users and the similar items: u = ½ (u_f + A_u u_f), i = i_f + S i_f."""
        user_graph = self.epoch_user_graph if self.training else self.user_graph
        return Embeddings((users + user_graph @ users) / 2, items + self.item_graph @ items)

    def embed(self) -> Embeddings:
        parts, _ = self.decompose()
        return self.fuse(*self.represent(parts))

    def loss(self, batch: Triplets) -> dict[str, Tensor]:
        parts, crossmodal = self.decompose()
        users, items = self.fuse(*self.represent(parts))
        u = users.index_select(0, batch.users)  # (B, P·D)
        chosen, skipped = items.index_select(0, torch.cat([batch.positives, batch.negatives])).chunk(2)
        preferences = self.preferences.index_select(1, batch.users).square().mean() * len(self.branches)
        terms = {
            "bpr": bpr_loss_bits(dot(u, chosen), dot(u, skipped)),
            "reg": self.config.reg_weight * (preferences + self.branch_weights.square().mean()),
        }
        rows = None if self.config.alignment_items is None else batch.negatives[: self.config.alignment_items].unique()
        for name, part in zip(("synergy", "redundancy"), crossmodal, strict=False):
            terms[name] = self.config.alignment_weight * part.alignment(rows, self.config.temperature)
        return terms

    @property
    def parts(self) -> Mapping[str, tuple[int, int]]:
        dim = self.config.embedding_dim
        return {branch: (p * dim, (p + 1) * dim) for p, branch in enumerate(self.branches)}
