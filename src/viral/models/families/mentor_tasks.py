"""The self-supervised tasks of MENTOR (arXiv 2402.19407), as functions of node tables, and the branch that guides them.

Shapes: U users, I items, n = U + I nodes, D embedding dimension of one branch, P branches.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import torch
from torch import Tensor, nn

from viral.data.interactions import Triplets
from viral.graph import SparseMatrix
from viral.graph.functions import embedding, info_nce
from viral.graph.functions.rows import SHORTEST
from viral.models.base import Embeddings
from viral.models.families.modality_branches import BranchConfig, Branches

BLOCK_ROWS = 2048  # of a layer, moved at once: they stay in the cache


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


def instead(values: Tensor, of: Tensor) -> Tensor:
    """``values``, with their gradient going to ``of``, a table of the same shape."""
    result: Tensor = _Instead.apply(of, values)
    return result


class _Instead(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, of: Tensor, values: Tensor) -> Tensor:
        return values.view_as(values)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient, None


def contrasted(batch: Triplets, limit: int | None) -> tuple[Tensor, Tensor] | None:
    """The users and items of the first ``limit`` triplets, each once; None: all there are."""
    if limit is None:
        return None
    return batch.users[:limit].unique(), torch.cat([batch.positives[:limit], batch.negatives[:limit]]).unique()


def between_views(one: Embeddings, two: Embeddings, temperature: float) -> Tensor:
    """InfoNCE between two views of the users and of the items."""
    return info_nce(one.users, two.users, temperature) + info_nce(one.items, two.items, temperature)


def masking_distance(nodes: Embeddings, dropout: float) -> Tensor:
    """How far dropout turns the rows: the mean 1 - cosine of the users and that of the items, added.

    Draws from torch's global generator.
    """
    of_users, of_items = (1 - _MaskedCosine.apply(e, dropout).mean() for e in nodes)
    distance: Tensor = of_users + of_items
    return distance


class _MaskedCosine(torch.autograd.Function):
    """cos(x, kept x) = √(b / a), a the squares of a row and b those that are kept: (n, D) -> (n,).

    Its gradient is x (kept / √(a b) - √(b / a) / a); a row of which nothing is kept has cosine and gradient 0.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, dropout: float) -> Tensor:
        kept = torch.ones_like(x) if not dropout else torch.empty_like(x).bernoulli_(1 - dropout)
        masked = x * kept
        a, b = torch.linalg.vecdot(x, x), torch.linalg.vecdot(masked, masked)
        cosines = (b / a.clamp(min=SHORTEST**2)).sqrt()
        ctx.save_for_backward(x, masked, a, b, cosines)
        return cosines

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        x, masked, a, b, cosines = ctx.saved_tensors
        of_masked = (gradient / (a * b).sqrt()).masked_fill_(b == 0, 0)[:, None]
        of_all = (gradient * cosines / a).masked_fill_(a == 0, 0)[:, None]
        return (masked * of_masked).addcmul_(x, of_all, value=-1), None
