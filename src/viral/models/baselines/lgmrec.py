"""LGMRec: local embeddings of ids and of modalities, and global ones that travel learnt hypergraphs of attributes.

Guo et al., "LGMRec: Local and Global Graph Learning for Multimodal Recommendation", AAAI 2024,
https://arxiv.org/abs/2312.16400. Published code: georgeguo-cn/LGMRec.
Shapes: U users, I items, B batch, D embedding dimension, H hyperedges, F features, M modalities.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from viral import graph
from viral.base.errors import UsageError
from viral.base.recipe import check_least
from viral.data.inputs import ModelInputs
from viral.data.interactions import Triplets
from viral.graph import SparseMatrix
from viral.graph.functions import Projection, bpr_loss, dot, embedding, norm_penalty, propagate_mean, sum_of, unit_rows
from viral.graph.functions.infonce import one_way_info_nce
from viral.models.base import EmbeddingRecommender, Embeddings
from viral.models.families.content import Content, ContentConfig
from viral.models.families.layers import linear
from viral.models.families.modality_views import propagate_last

KEPT_NUMBERS = 1 << 26  # of features that have travelled the graph: a quarter of a gigabyte a modality


@dataclass(frozen=True, kw_only=True)
class LGMRecConfig(ContentConfig):
    """Defaults are the published best for Baby; both terms' weights stand before sums or norms, hence their size."""

    embedding_dim: int = 64
    num_layers: int = 2  # of the ids on the user-item graph
    num_modal_layers: int = 2  # of the modalities on it
    num_hyperedges: int = 4
    num_hyper_layers: int = 1
    keep_rate: float = 0.5  # of the hypergraph's entries, while training
    hyper_weight: float = 0.3  # α, of the global embeddings
    gumbel_temperature: float = 0.2
    temperature: float = 0.2  # of the contrast
    contrast_weight: float = 1e-4
    reg_weight: float = 1e-6

    def __post_init__(self) -> None:
        check_least(self, embedding_dim=1, num_layers=0, num_modal_layers=0, num_hyperedges=1, num_hyper_layers=1)
        check_least(self, keep_rate=1e-6, hyper_weight=0, gumbel_temperature=1e-6, temperature=1e-6)
        check_least(self, contrast_weight=0, reg_weight=0)
        if self.keep_rate > 1:
            raise UsageError(f"keep_rate = {self.keep_rate} is more than all", where=type(self).__name__)


class LGMRec(EmbeddingRecommender[LGMRecConfig]):
    """A node is its local embedding plus α times its global one, both summed over modalities."""

    Config = LGMRecConfig
    SPACE: ClassVar = {
        "num_hyperedges": (4, 16, 64),
        "num_hyper_layers": (1, 2),
        "keep_rate": (0.2, 0.5),
        "hyper_weight": (0.2, 0.3, 0.6),
        "contrast_weight": (1e-6, 1e-5, 1e-4),
    }

    def __init__(self, inputs: ModelInputs, config: LGMRecConfig) -> None:
        super().__init__(inputs, config)
        self.content = Content(inputs, config)
        dim, widths = config.embedding_dim, self.content.widths
        self.user_ids, self.item_ids = embedding(self.num_users, dim), embedding(self.num_items, dim)
        projections = {role: linear(width, dim, bias=False, of=Projection) for role, width in widths.items()}
        self.projections = nn.ModuleDict(projections)
        settings = (config.num_hyperedges, config.gumbel_temperature, config.keep_rate)
        self.hypergraphs = nn.ModuleDict({role: Hypergraph(f, *settings) for role, f in widths.items()})
        self.adjacency = graph.bipartite_adjacency(inputs.train)
        means = self.means = graph.neighbor_means(inputs.train)[0]  # (U, I)
        self.histories = SparseMatrix(means.offsets, means.columns, torch.ones_like(means.values), self.num_items)
        for role, x in self.content.features.items():
            self.register_buffer(f"{role}_travelled", self.travelled(x), persistent=False)

    def travelled(self, features: Tensor) -> Tensor | None:
        """What ``modalities`` needs of fixed features, all but the projection: (I, F) -> (U+I, F); None: too large."""
        if (self.num_users + self.num_items) * features.shape[1] > KEPT_NUMBERS:
            return None
        return self.travel(features)

    def travel(self, items: Tensor) -> Tensor:
        """A modality of the items on the graph, where a user starts as their items: (I, ·) -> (U+I, ·)."""
        return propagate_last(self.adjacency, torch.cat([self.means @ items, items]), self.config.num_modal_layers)

    def modalities(self, rows: Tensor | None) -> list[Tensor]:
        """Every modality of the nodes ``rows`` (n,), or of all, after its propagation: M times (n, D).

        Propagation is linear in the features, and they are fixed: it is done once, and only the batch's rows projected.
        """
        found = []
        for role, features in self.content.features.items():
            known, projection = getattr(self, f"{role}_travelled"), self.projections[role]
            table = self.travel(projection(features)) if known is None else known
            table = table if rows is None else table.index_select(0, rows)
            found.append(table if known is None else F.linear(table, projection.get_parameter("weight")))
        return found

    def globally(self, ids: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Each modality's dependencies on its hyperedges, M times (U+I, H), and what these hold of the ids, (H, D)."""
        nodes = [self.hypergraphs[role](self.histories, x) for role, x in self.content.features.items()]
        sides = [table.split([self.num_users, self.num_items]) for table in nodes]
        return nodes, [gathered(items, ids[self.num_users :], self.config.num_hyper_layers) for _, items in sides]

    def represent(self, rows: Tensor | None = None) -> tuple[Tensor, tuple[list[Tensor], list[Tensor]]]:
        """The nodes ``rows`` (n, D), or all of them, and what ``globally`` found for all."""
        ego = torch.cat([self.user_ids.weight, self.item_ids.weight])
        ids = propagate_mean(self.adjacency, ego, self.config.num_layers)
        hyper = nodes, edges = self.globally(ids)
        own, *shares = (ids, *nodes) if rows is None else (table.index_select(0, rows) for table in (ids, *nodes))
        local = own + sum_of(unit_rows(x) for x in self.modalities(rows))
        shared = sum_of(h @ held for h, held in zip(shares, edges, strict=True))
        return local + self.config.hyper_weight * unit_rows(shared), hyper

    def embed(self) -> Embeddings:
        return Embeddings(*self.represent()[0].split([self.num_users, self.num_items]))

    def loss(self, batch: Triplets) -> dict[str, Tensor]:
        rows = torch.cat([batch.users, batch.positives + self.num_users, batch.negatives + self.num_users])
        nodes, hyper = self.represent(rows)
        users, chosen, skipped = nodes.chunk(3)
        terms = {
            "bpr": bpr_loss(dot(users, chosen), dot(users, skipped)),
            "reg": self.config.reg_weight * norm_penalty(users, chosen, skipped),
        }
        if len(hyper[0]) > 1 and self.config.contrast_weight:
            terms["contrast"] = self.config.contrast_weight * self.agreement(batch, *hyper)
        return terms

    def agreement(self, batch: Triplets, nodes: list[Tensor], edges: list[Tensor]) -> Tensor:
        """Σ_B InfoNCE of a node's global visual and textual embedding, against all users and all items.

        Nodes that the batch has more than once are worked off once.
        """
        sides = zip(*(x.split([self.num_users, self.num_items]) for x in coordinates(nodes, edges)), strict=True)
        total = []
        for chosen, (v, t) in zip((batch.users, batch.positives), sides, strict=True):
            rows, counts = torch.unique(chosen, return_counts=True)
            anchors, temperature = v.index_select(0, rows), self.config.temperature
            total.append(one_way_info_nce(anchors, t, temperature, positives=rows, weights=counts))
        return len(batch) * sum_of(total)


class Hypergraph(nn.Module):
    """How much each node depends on each of H hyperedges, softly and, while training, with Gumbel noise and dropout.

    An item's logits are linear in its features, a user's the sum over the history's items.
    """

    def __init__(self, width: int, num_hyperedges: int, temperature: float, keep_rate: float) -> None:
        super().__init__()
        self.attributes = linear(width, num_hyperedges, bias=False)
        self.temperature, self.keep_rate = temperature, keep_rate

    def forward(self, histories: SparseMatrix, features: Tensor) -> Tensor:
        """Dependencies of users, then items, from the binary (U, I) and (I, F): (U+I, H)."""
        items = self.attributes(features)
        logits = torch.cat([histories @ items, items])
        if self.training:
            return F.dropout(F.gumbel_softmax(logits, self.temperature), 1 - self.keep_rate)
        return (logits / self.temperature).softmax(dim=1)


def gathered(items: Tensor, nodes: Tensor, num_layers: int) -> Tensor:
    """What hyperedges hold in the last of some layers E_i ← H_i H_iᵀ E_i, H_iᵀ E_i: (I, H), (I, D) -> (H, D).

    The last layer's nodes are H times that, of users and items; it is formed of those that are asked for.
    """
    edges = items.T @ nodes
    for _ in range(num_layers - 1):
        edges = items.T @ (items @ edges)
    return edges


def coordinates(nodes: Sequence[Tensor], edges: Sequence[Tensor]) -> list[Tensor]:
    """Of the nodes H E of several hypergraphs in what the edges of all span: M times (n, H), (H, D) -> (n, ≤ M·H).

    Lengths and inner products are those of H E, and so are their gradients, though the basis is held fixed: how far a
    node moves out of the span changes none of them. Where the span has no fewer directions than D, H E as it is.
    """
    spanning = torch.cat(list(edges))  # (M·H, D)
    if len(spanning) < spanning.shape[1]:
        basis = torch.linalg.qr(spanning.detach().T).Q  # (D, M·H)
        edges = [table @ basis for table in edges]
    return [h @ table for h, table in zip(nodes, edges, strict=True)]
