"""MENTOR: fused modalities, aligned with the ids in distribution and made robust by noise and masks.

Xu, Chen, Yang, Li, Wang & Ngai, "MENTOR: Multi-level Self-supervised Learning for Multimodal Recommendation",
AAAI 2025, https://arxiv.org/abs/2402.19407.
Shapes: U users, I items, B batch, D embedding dimension of one branch, P modalities.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import ClassVar

import torch
from torch import Tensor, nn

from viral.base.errors import UsageError
from viral.base.recipe import check_least
from viral.data.inputs import ModelInputs
from viral.data.interactions import Triplets
from viral.graph import SparseMatrix
from viral.graph.functions import bpr_loss_bits, dot, embedding, info_nce, propagate_sum
from viral.graph.functions.rows import SHORTEST, masked_cosine
from viral.graph.functions.straight_through import instead
from viral.models.base import Embeddings
from viral.models.families.modality_branches import BranchConfig, Branches, BranchRecommender, of_pairs

BLOCK_ROWS = 2048  # of a layer, moved at once: they stay in the cache


@dataclass(frozen=True, kw_only=True)
class MENTORConfig(BranchConfig):
    """Published settings; ``separate_views=True, mask_weight=0`` trains what the published code trains."""

    num_neighbors: int = 10  # of the item graph
    visual_weight: float = 0.1  # of the item graph
    align_weight: float = 0.1
    contrast_weight: float = 1e-4
    temperature: float = 0.2
    noise: float = 0.1  # length of what is added to each row of each layer
    contrast_nodes: int | None = None  # None: contrast every user and item in every step; n: at most n triplets' nodes
    separate_views: bool = False  # give each noisy view its own encoders and user tables, as the published code does
    mask_weight: float = 1.5
    dropout: float = 0.5  # of the mask

    def __post_init__(self) -> None:
        super().__post_init__()
        check_least(self, num_neighbors=1, visual_weight=0, align_weight=0, contrast_weight=0, temperature=1e-6)
        check_least(self, noise=0, contrast_nodes=1, mask_weight=0, dropout=0)
        if self.dropout >= 1:
            raise UsageError(f"dropout = {self.dropout} masks everything", where=type(self).__name__)


class MENTOR(BranchRecommender[MENTORConfig]):
    """u = [w_um u_m]_m, i = ĩ + S ĩ with ĩ = [i_m]_m; the id branch only guides the others."""

    Config = MENTORConfig
    SPACE: ClassVar = {
        "learning_rate": (1e-4, 1e-3),
        "contrast_weight": (1e-3, 1e-4),
        "temperature": (0.2, 0.4, 0.6),
    }

    def __init__(self, inputs: ModelInputs, config: MENTORConfig) -> None:
        super().__init__(inputs, config)
        self.id_branch = IdBranch(self.num_users, self.num_items, config) if config.align_weight else None
        separate = config.separate_views and config.contrast_weight
        self.views = nn.ModuleList(
            Branches(self.num_users, self.content.widths, config) for _ in range(2 if separate else 0)
        )
        self.item_graph = self.content.item_graph(config.num_neighbors, config.visual_weight)

    def smooth(self, items: Tensor) -> Tensor:
        """Items with those that are similar: (I, ·) -> (I, ·)."""
        return items + self.item_graph @ items

    def represent(self, chosen: Tensor | None = None) -> Embeddings:
        users, items = self.propagate()
        weighed = self.branch_weights(users)
        return Embeddings(weighed if chosen is None else weighed.index_select(0, chosen), self.smooth(items))

    def loss(self, batch: Triplets) -> dict[str, Tensor]:
        config, ego, split = self.config, self.branches(self.content.features), [self.num_users, self.num_items]
        starts = ego if self.id_branch is None else torch.cat([ego, self.id_branch()], dim=1)
        nodes = propagate_sum(self.adjacency, starts, config.num_layers)
        nodes, *ids = (nodes,) if starts is ego else nodes.split([ego.shape[1], config.embedding_dim], dim=1)
        users, items = nodes.split(split)
        smooth = self.smooth(items)
        fused = Embeddings(self.branch_weights(users), smooth)
        u, (chosen, skipped) = fused.users.index_select(0, batch.users), of_pairs(fused.items, batch)
        terms = {"bpr": bpr_loss_bits(dot(u, chosen), dot(u, skipped)), "reg": self.penalty(batch)}
        for user_ids, item_ids in (table.split(split) for table in ids):
            tables = (users, user_ids), (smooth, self.smooth(item_ids))
            terms["align"] = config.align_weight * misalignment(*tables, self.branch_weights.values)
        if config.contrast_weight:
            terms["contrast"] = config.contrast_weight * self.contrast(ego, nodes, batch)
        if config.mask_weight:
            terms["mask"] = config.mask_weight * masking_distance(fused, config.dropout)
        return terms

    def contrast(self, ego: Tensor, nodes: Tensor, batch: Triplets) -> Tensor:
        """InfoNCE between two noisy views of the users, and of the items; ``nodes`` is the sum of layers of ``ego``."""
        config, pairs = self.config, [(ego, nodes)] * 2
        if self.views:
            starts = [view(self.content.features) for view in self.views]
            pairs = [(start, propagate_sum(self.adjacency, start, config.num_layers)) for start in starts]
        layers = config.num_layers, config.noise, config.embedding_dim
        with torch.no_grad():
            firsts = [self.adjacency @ start for start, _ in (pairs if self.views else pairs[:1])]
        limit, rows = config.contrast_nodes, None
        if limit is not None:  # the users and items of the first triplets, each once
            rows = batch.users[:limit].unique(), torch.cat([batch.positives[:limit], batch.negatives[:limit]]).unique()
        one, two = (
            self.fuse(instead(noisy_sum(self.adjacency, start, layers, first), plain), rows)
            for (start, plain), first in zip(pairs, firsts * (2 // len(firsts)), strict=True)
        )
        of_users, of_items = (info_nce(a, b, config.temperature) for a, b in zip(one, two, strict=True))
        return of_users + of_items

    def fuse(self, nodes: Tensor, rows: tuple[Tensor, Tensor] | None) -> Embeddings:
        """Nodes of P branches (U+I, P·D), weighed by the users and smoothed; of some users and items, or of all."""
        users, items = nodes.split([self.num_users, self.num_items])
        if rows is None:
            return Embeddings(self.branch_weights(users), self.smooth(items))
        chosen, weights = (table.index_select(0, rows[0]) for table in (users, self.branch_weights.values))
        weighed = (chosen.unflatten(1, (weights.shape[1], -1)) * weights[:, :, None]).flatten(1)
        return Embeddings(weighed, items.index_select(0, rows[1]) + self.item_graph.rows(rows[1]) @ items)


class IdBranch(nn.Module):
    """Layer 0 of the branch of the ids: a table of the items, encoded as features are, beside one of the users."""

    def __init__(self, num_users: int, num_items: int, config: BranchConfig) -> None:
        super().__init__()
        self.items = embedding(num_items, config.embedding_dim, normal=True)
        self.branch = Branches(num_users, {"id": config.embedding_dim}, config)

    def forward(self) -> Tensor:
        """() -> (U+I, D)."""
        nodes: Tensor = self.branch({"id": self.items.weight})
        return nodes


def misalignment(users: Sequence[Tensor], items: Sequence[Tensor], weights: Tensor) -> Tensor:
    """Σ |Δ variance| + |Δ mean| over the pairs of levels, each one number over all entries of a level's table.

    Nodes of the P modalities, (U, P·D) and, smoothed, (I, P·D), then of the ids, (U, D) and (I, D); what modalities
    count to users (U, P). Levels are the fused modalities, and each branch alone in the place of all P; a lone modality
    is the fused one already. Their tables (U+I, P·D) are not formed: weights are common to a row of a branch.
    """
    (num_users, width), count, dim = users[0].shape, weights.shape[1], users[1].shape[1]
    w, entries = weights.double(), (num_users + len(items[0])) * width
    moments = []
    for power in (1, 2):
        of_users, of_items = (torch.cat([_row_sums(x, dim, power) for x in side], dim=1) for side in (users, items))
        of_users, of_items, shares = of_users.double(), of_items.double(), w**power  # (U, P+1), (I, P+1), (U, P)
        fused = (shares * of_users[:, :count]).sum() + of_items[:, :count].sum()
        alone = (shares.sum(dim=1, keepdim=True) * of_users).sum(dim=0) + count * of_items.sum(dim=0)  # (P+1,)
        moments.append(torch.cat([fused[None], alone if count > 1 else alone[-1:]]))
    total, squares = moments
    variances = (squares - total.square() / entries) / (entries - 1)
    levels = torch.stack([variances, total / entries], dim=1)
    return torch.stack([(a - b).abs().sum() for a, b in combinations(levels, 2)]).sum().to(weights.dtype)


def _row_sums(table: Tensor, dim: int, power: int) -> Tensor:
    """Sums of each row of each branch, or of its squares: (n, B·D) -> (n, B)."""
    rows = table.unflatten(1, (-1, dim))
    return rows.sum(dim=2) if power == 1 else torch.linalg.vecdot(rows, rows)


@torch.no_grad()
def noisy_sum(adjacency: SparseMatrix, ego: Tensor, layers: tuple[int, float, int], first: Tensor) -> Tensor:
    """Sum of layers, each moved in each branch by a random vector of a given length in its own orthant: (n, P·D).

    The form of SimGCL (Yu et al., SIGIR 2022, eq. 7). ``layers``: their number, that length, D; ``first``: Â times
    ``ego``. Draws from torch's global generator. What moves a layer has no gradient, so the whole has that of the sum
    of plain layers (:func:`instead`).
    """
    num_layers, noise, dim = layers
    total, layer = ego.clone(), ego
    for depth in range(num_layers):
        layer = adjacency @ layer if depth else first.clone()
        for rows, sums in zip(layer.split(BLOCK_ROWS), total.split(BLOCK_ROWS), strict=True):
            step = torch.rand_like(rows).unflatten(1, (-1, dim))
            step.div_(torch.linalg.vector_norm(step, dim=-1, keepdim=True).clamp_(min=SHORTEST)).mul_(noise)
            sums.add_(rows.add_(step.flatten(1).mul_(rows.sign())))
    return total


def masking_distance(nodes: Embeddings, dropout: float) -> Tensor:
    """How far dropout turns the rows: the mean 1 - cosine of the users and that of the items, added.

    Draws from torch's global generator.
    """
    of_users, of_items = (1 - masked_cosine(e, dropout).mean() for e in nodes)
    return of_users + of_items
